"""A runbook is approved once another person has signed it for each role that is asked; nothing else counts."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authority.approvals import Approval, ApprovalError, counts, lacking, of_digest, refuse_unproven
from authority.claims import Act
from domain.config.organisation import Organisation
from tests.authority.approving import BOOK, HOUR, ROLES, TOKENS, keys, people, signed
from tests.authority.test_claims import AT

HOME = people(*ROLES)
OTHER = "cd" * 32


@pytest.mark.parametrize(
    ("approvals", "left"),
    [
        ([], ROLES),
        ([signed("ann")], ("compliance-officer",)),
        ([signed("bob")], ("cto",)),
        ([signed("ann"), signed("bob")], ()),
        ([signed("bob"), signed("cas"), signed("ann")], ()),
        ([signed("ann"), signed("ann", AT + HOUR)], ("compliance-officer",)),
        ([signed("ann"), signed("cas")], ("compliance-officer",)),
        ([signed("ann"), signed("bob", subject=OTHER)], ("compliance-officer",)),
        ([signed("ann"), signed("bob", token=TOKENS["ann"])], ("compliance-officer",)),
        ([signed("ann"), signed("dee")], ("compliance-officer",)),
    ],
    ids=["none", "one", "other", "both", "beside", "twice", "role", "another digest", "another's key", "no contact"],
)
def test_which_signatures_suffice(approvals: list[Approval], left: tuple[str, ...]) -> None:
    assert lacking(BOOK, approvals, HOME, keys()) == left


def test_an_organisation_that_names_nobody_asks_nobody() -> None:
    assert lacking(BOOK, [], people(), keys()) == ()


def test_nobody_signs_for_two_roles() -> None:
    """Whoever holds both fills the one that nobody else can."""
    both = people(*ROLES, ann=ROLES, bob=("cto",), cas=("compliance-officer",))
    assert lacking(BOOK, [signed("ann")], both, keys()) == ("compliance-officer",)
    assert lacking(BOOK, [signed("ann"), signed("bob")], both, keys()) == ()
    assert lacking(BOOK, [signed("ann"), signed("cas")], both, keys()) == ()


def test_a_role_that_is_somebody_elses_by_now_is_theirs_to_sign_for() -> None:
    now = people(*ROLES, ann=("ceo",), bob=("compliance-officer",), cas=("cto",))
    both = [signed("ann"), signed("bob")]
    assert lacking(BOOK, both, now, keys()) == ("cto",)
    assert lacking(BOOK, [*both, signed("cas", AT + HOUR)], now, keys()) == ()


def test_what_a_key_signed_before_it_was_revoked_stays_signed() -> None:
    """And what it signed from then on never counted, though the revocation came later and was dated back."""
    both = [signed("ann"), signed("bob")]
    assert lacking(BOOK, both, HOME, keys(ann=AT + timedelta(seconds=1))) == ()
    assert lacking(BOOK, both, HOME, keys(ann=AT)) == ("cto",)
    assert [one.claim.by for one in of_digest(BOOK, both, keys(ann=AT))] == ["bob"]
    refuse_unproven(both, HOME.id, keys(ann=AT))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"organisation": "another"}, "its claim is no approval of data-breach 1.3"),
        ({"act": Act.APPROVE}, "its claim is no approval of data-breach 1.3"),
        ({"decision": "data-breach 1.4"}, "its claim is no approval of data-breach 1.3"),
        ({"incident": "inc-20261123-7f3k"}, "its claim is no approval of data-breach 1.3"),
        ({"expires": AT + timedelta(days=80)}, "its claim is no approval of data-breach 1.3"),
        ({"nonce": "0f" * 16}, "its claim is no approval of data-breach 1.3"),
        ({"token": TOKENS["bob"]}, "the key is not ann's"),
    ],
)
def test_a_file_with_anything_else_in_it_is_refused(said: dict[str, Any], why: str) -> None:
    """At its place, though the signature is whole."""
    token = said.pop("token", None)
    with pytest.raises(ApprovalError, match=why) as refused:
        refuse_unproven([signed("bob"), signed("ann", token=token, **said)], HOME.id, keys())
    assert refused.value.position == 1


def test_signatures_are_only_added_at_the_end() -> None:
    with pytest.raises(ApprovalError, match="only added") as refused:
        refuse_unproven([signed("ann", AT + HOUR), signed("bob")], HOME.id, keys())
    assert refused.value.position == 1


def test_a_key_that_is_not_enrolled_signs_nothing() -> None:
    with pytest.raises(ApprovalError, match="no key of the register"):
        refuse_unproven([signed("ann")], HOME.id, keys(["bob"]))


SIGNED = [signed(by, subject=subject) for by in TOKENS for subject in (BOOK, OTHER)]
KINDS = ("cto", "compliance-officer", "ceo")


def _approved(found: list[Approval], home: Organisation, revoked: set[str]) -> bool:
    """The rule said once more, by trying everybody in each place."""
    held = {one.id: {*one.roles} for one in home.contacts}
    signers = {one.claim.by for one in found if one.claim.subject == BOOK and one.claim.by not in revoked}
    able = [who for who in signers if who in held]
    needed = home.runbook_approvers
    seats = permutations(able, len(needed))
    return any(all(role in held[who] for who, role in zip(seat, needed, strict=True)) for seat in seats)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from(SIGNED), max_size=6),
    st.lists(st.sampled_from(KINDS), max_size=3),
    st.fixed_dictionaries({one: st.sets(st.sampled_from(KINDS), min_size=1) for one in ("ann", "bob", "cas")}),
    st.sets(st.sampled_from(sorted(TOKENS))),
)
def test_it_is_approved_by_the_rule_and_never_otherwise(
    found: list[Approval], needed: list[str], held: dict[str, set[str]], revoked: set[str]
) -> None:
    home = people(*needed, **{one: tuple(sorted(roles)) for one, roles in held.items()})
    left = lacking(BOOK, found, home, keys(TOKENS, **dict.fromkeys(revoked, AT)))
    assert (not left) == _approved(found, home, revoked)
    assert set(left) <= set(needed)


MANY = signed("ann").model_dump(mode="json")


@settings(deadline=None, max_examples=500)
@given(st.data())
def test_an_altered_signature_never_counts(data: st.DataObject) -> None:
    """A letter of the signature, or any value of the claim."""
    document = {**MANY, "claim": {**MANY["claim"]}}
    field = data.draw(st.sampled_from(["signature", "subject", "by", "decision", "nonce", "at"]))
    if field == "signature":
        body = MANY["signature"].split("\n")
        line = data.draw(st.integers(1, len(body) - 3))
        place = data.draw(st.integers(0, len(body[line]) - 1))
        letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
        body[line] = body[line][:place] + letter + body[line][place + 1 :]
        document["signature"] = "\n".join(body)
    else:
        other = {
            "subject": OTHER,
            "by": "bob",
            "decision": "data-breach 9.9",
            "nonce": "00" * 16,
            "at": "2026-11-23T02:59:59Z",
        }
        document["claim"][field] = other[field]
    made = Approval.model_validate(document)
    assert counts(made, keys()) == (made == Approval.model_validate(MANY))
