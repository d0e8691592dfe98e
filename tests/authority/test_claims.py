"""Claims: one form of each, whole, with an end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from authority.claims import LONGEST, Act, Claim

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def claimed(**fields: Any) -> dict[str, Any]:
    return {
        "organisation": "axis-imaging",
        "environment": "production",
        "incident": "inc-20261123-7f3k",
        "step": "rollback",
        "generation": 1,
        "act": "approve",
        "subject": "ab" * 32,
        "by": "technical-manager",
        "at": AT,
        "expires": AT + timedelta(minutes=30),
        "nonce": "0f" * 16,
        **fields,
    }


def test_what_is_signed_is_written_in_one_way() -> None:
    """To the letter: whoever signs elsewhere writes the same bytes."""
    assert Claim.model_validate(claimed()).canonical().decode() == (
        '{"act":"approve","at":"2026-11-23T03:00:00Z","by":"technical-manager","decision":"",'
        '"environment":"production","expires":"2026-11-23T03:30:00Z","generation":1,"incident":"inc-20261123-7f3k",'
        '"nonce":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","organisation":"axis-imaging","step":"rollback",'
        '"subject":"abababababababababababababababababababababababababababababababab","v":1}'
    )


@given(
    st.sampled_from(Act),
    st.text("abcdef0123456789", min_size=64, max_size=64),
    st.none() | st.integers(1, 1_000_000),
    st.text(max_size=60),
    st.integers(1, int(LONGEST.total_seconds())),
)
def test_one_that_is_read_back_says_the_same(
    act: Act, subject: str, generation: int | None, decision: str, seconds: int
) -> None:
    fields = {"act": act, "subject": subject, "generation": generation, "decision": decision}
    made = Claim.model_validate(claimed(**fields, expires=AT + timedelta(seconds=seconds)))
    again = Claim.model_validate_json(made.canonical())
    assert again == made
    assert again.digest() == made.digest()


@given(st.sampled_from(sorted(set(Claim.model_fields) - {"v"})), st.data())
def test_each_field_is_signed(name: str, data: st.DataObject) -> None:
    """Two claims that differ anywhere have different digests."""
    others: dict[str, Any] = {
        "act": "reject",
        "subject": "cd" * 32,
        "generation": 2,
        "at": AT - timedelta(seconds=data.draw(st.integers(1, 3600))),
        "expires": AT + timedelta(seconds=data.draw(st.integers(1, 1799))),
        "nonce": "1f" * 16,
    }
    other = Claim.model_validate(claimed(**{name: others.get(name, "another")}))
    assert other.digest() != Claim.model_validate(claimed()).digest()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no end": ({"expires": AT}, "expires must be after at"),
    "an end beyond all that is given": ({"expires": AT + LONGEST + timedelta(seconds=1)}, "within 90 days"),
    "local time": ({"at": "2026-11-23T14:00:00+11:00"}, "write it in UTC, to the second"),
    "no zone": ({"at": "2026-11-23T03:00:00"}, "timezone"),
    "half a second": ({"at": "2026-11-23T03:00:00.5Z"}, "write it in UTC, to the second"),
    "an act of nobody's": ({"act": "delete"}, "act"),
    "a subject that is no digest": ({"subject": "AB" * 32}, "subject"),
    "a short nonce": ({"nonce": "0f"}, "nonce"),
    "generation none": ({"generation": 0}, "generation"),
    "a generation that is a text": ({"generation": "1"}, "generation"),
    "a name that looks like another": ({"by": "tеchnical-manager"}, "by"),  # noqa: RUF001 - a Cyrillic letter
    "a name with a line": ({"by": "cto\n"}, "by"),
    "a field of another version": ({"quorum": 0}, "quorum"),
    "another version": ({"v": 2}, "v"),
}


@pytest.mark.parametrize(("fields", "where"), REFUSED.values(), ids=REFUSED)
def test_others_are_refused(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError, match=where):
        Claim.model_validate(claimed(**fields))
