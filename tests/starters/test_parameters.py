"""What `--set` gives is typed by the action, and refused before it is sent where the action cannot take it."""

import click
import pytest

from starters.files.parameters import typed
from starters.options import Options

HERE = Options(environment="sandbox", who="security-lead")
SUB = "3f2a8f0e-1c4b-4d5e-8a6f-7b8c9d0e1f2a"
NO_SUB = "--set users: number 2 is no sub: name accounts by their sub (a UUID), never by name"


@pytest.mark.parametrize(
    ("type_", "step", "given", "values"),
    [
        ("security", "disable-accounts", {"users": SUB}, {"users": [SUB]}),
        ("security", "block-addresses", {"addresses": "198.51.100.7,::9"}, {"addresses": ["198.51.100.7", "::9"]}),
        ("system-outage", "scale-up", {"count": "6"}, {"count": "6"}),
        ("system-outage", "scale-up", {"colour": "red"}, {"colour": "red"}),
    ],
)
def test_values_are_typed(type_: str, step: str, given: dict[str, str], values: dict[str, object]) -> None:
    """A list is split; numbers stay text; what the action does not know is for the incident to refuse."""
    assert typed(HERE, type_, step, given) == values


@pytest.mark.parametrize("step", ["disable-accounts", "sign-out-accounts", "reset-passwords", "require-mfa"])
def test_a_name_instead_of_a_sub_is_never_sent(step: str) -> None:
    """Whoever names an account by a mail address is told how to name it; the address is not repeated."""
    with pytest.raises(click.UsageError) as refused:
        typed(HERE, "security", step, {"users": f"{SUB},jo@mail.example"})
    assert refused.value.message == NO_SUB


def test_a_count_that_is_none_is_refused() -> None:
    """So is any other value that the action's own parameters refuse."""
    with pytest.raises(click.UsageError, match="--set count: "):
        typed(HERE, "system-outage", "scale-up", {"count": "many"})
