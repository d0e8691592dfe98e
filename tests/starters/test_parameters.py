"""What `--set` gives is typed by the action, and refused before it is sent where the action cannot take it."""

import click
import pytest

from starters.files.parameters import typed

SUB = "3f2a8f0e-1c4b-4d5e-8a6f-7b8c9d0e1f2a"
NO_SUB = "--set users: number 2 is no sub: name accounts by their sub (a UUID), never by name"


@pytest.mark.parametrize(
    ("action", "given", "values"),
    [
        ("cognito.disable_users", {"users": SUB}, {"users": [SUB]}),
        ("wafv2.block_addresses", {"addresses": "198.51.100.7,::9"}, {"addresses": ["198.51.100.7", "::9"]}),
        ("ecs.scale_service", {"count": "6"}, {"count": "6"}),
        ("ecs.scale_service", {"colour": "red"}, {"colour": "red"}),
        ("ecs.of_a_later_release", {"colours": "red,blue", "count": "6"}, {"colours": ["red", "blue"], "count": "6"}),
        (None, {"colours": "red,blue"}, {"colours": ["red", "blue"]}),
    ],
)
def test_values_are_typed(action: str | None, given: dict[str, str], values: dict[str, object]) -> None:
    """A list is split; numbers stay text; what the action does not know is for the incident to refuse."""
    assert typed(action, given) == values


@pytest.mark.parametrize("what", ["disable_users", "sign_out_users", "reset_passwords", "require_mfa"])
def test_a_name_instead_of_a_sub_is_never_sent(what: str) -> None:
    """Whoever names an account by a mail address is told how to name it; the address is not repeated."""
    with pytest.raises(click.UsageError) as refused:
        typed(f"cognito.{what}", {"users": f"{SUB},jo@mail.example"})
    assert refused.value.message == NO_SUB


def test_a_count_that_is_none_is_refused() -> None:
    """So is any other value that the action's own parameters refuse."""
    with pytest.raises(click.UsageError, match="--set count: "):
        typed("ecs.scale_service", {"count": "many"})
