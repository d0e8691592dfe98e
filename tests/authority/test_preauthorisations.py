"""A pre-authorisation is in force once all have signed it, until it ends or is revoked; nothing else is."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authority.claims import Act
from authority.preauthorisations import Entry, PreAuthorisationError, claim, refuse_carried, refuse_unproven, standing
from authority.proofs import UnprovenError
from domain.config.organisation import Organisation
from domain.config.preauthorisation import PreAuthorisation
from tests.activities.scopes import NOW
from tests.people import HOME
from tests.preauthorising import BOTH, DAY, SINCE, carried, entry, revoked, signature, signed, stands, terms
from tests.signatures import PEOPLE, axis

ONE = terms()
OTHER = terms(reason="another")


def refusal(*entries: Entry, at: datetime = NOW, organisation: Organisation | None = None) -> str | None:
    return stands(*entries, organisation=organisation)[0].refusal(at)


def test_what_both_have_signed_is_in_force_until_it_ends() -> None:
    both = signed(ONE)
    assert refusal(*both) is None
    assert refusal(*both, at=ONE.since) is None
    assert refusal(*both, at=ONE.until - timedelta(seconds=1)) is None
    assert refusal(*both, at=ONE.until) == "it has ended at 2027-01-12T03:30:00Z"
    assert refusal(*both, at=ONE.since - timedelta(seconds=1)) == "it is not in force before 2026-11-13T03:30:00Z"


@pytest.mark.parametrize(
    ("by", "why"),
    [
        (("cto",), "compliance-officer must sign it first"),
        (("compliance-officer",), "cto must sign it first"),
        (("devops-lead",), "cto and compliance-officer must sign it first"),
        (("cto", "devops-lead"), "compliance-officer must sign it first"),
    ],
)
def test_each_signature_is_needed(by: tuple[str, ...], why: str) -> None:
    assert refusal(*signed(ONE, *by)) == why


def test_nobody_signs_for_two_roles() -> None:
    home = axis()
    alone = tuple(
        one.model_copy(update={"roles": ("cto", "compliance-officer") if one.id == "cto" else ("devops-lead",)})
        for one in home.contacts
    )
    held = home.model_copy(update={"contacts": alone})
    assert refusal(*signed(ONE, "cto", "devops-lead"), organisation=held) == "compliance-officer must sign it first"


def test_where_no_roles_are_named_nothing_is_in_force() -> None:
    nobody = axis().model_copy(update={"preauthorisers": ()})
    assert "names no roles that pre-authorise" in str(refusal(*signed(ONE), organisation=nobody))


def test_a_revocation_is_for_good() -> None:
    """Whoever's: it may be somebody who has left since. What is signed after it counts for nothing."""
    both = signed(ONE)
    for by in ("cto", "compliance-officer", "devops-lead"):
        assert refusal(*both, revoked(ONE, by)) == f"{by} has revoked it: not any more"
    late = signature(ONE, "compliance-officer", NOW + DAY)
    assert refusal(both[0], revoked(ONE), late, at=NOW + 2 * DAY) == "cto has revoked it: not any more"
    assert refusal(*both, *signed(OTHER, at=NOW), revoked(OTHER, at=NOW)) is None


def test_a_key_signs_while_it_is_good() -> None:
    """One that is revoked later leaves what it has signed; one from before it signed has signed nothing."""
    both = signed(ONE)
    found = standing(both, axis(), PEOPLE.keys(cto=NOW - DAY))[0]
    assert found.refusal(NOW) is None
    found = standing(both, axis(), PEOPLE.keys(cto=SINCE))[0]
    assert found.refusal(NOW) == "cto must sign it first"
    refuse_unproven(both, HOME, PEOPLE.keys(cto=SINCE))


CTO, OFFICER = signed(ONE)
BAD: dict[str, tuple[Any, str]] = {
    "another organisation": (lambda: signature(ONE, "cto", home="example"), "is not over the pre-authorisation"),
    "another act": (lambda: altered(act=Act.REVOKE), "is not over the pre-authorisation"),
    "another environment": (lambda: altered(environment="staging"), "is not over the pre-authorisation"),
    "another step": (lambda: altered(step="promote"), "is not over the pre-authorisation"),
    "a longer time": (lambda: altered(expires=ONE.until + DAY), "is not over the pre-authorisation"),
    "another nonce": (lambda: altered(nonce="0f" * 16), "is not over the pre-authorisation"),
    "another digest": (lambda: altered(subject=OTHER.digest()), "nothing before it has the digest"),
    "another's key": (lambda: entry(CTO.claim, None, PEOPLE.tokens["devops-lead"]), "the key is not cto's"),
    "other terms": (lambda: OFFICER.model_copy(update={"says": ONE}), "only the first signature"),
    "an older one": (lambda: signature(ONE, "compliance-officer", SINCE - DAY), "it is older than the one before it"),
}


def altered(**said: Any) -> Entry:
    made = claim(HOME, ONE, "compliance-officer", SINCE)
    return entry(type(made).model_validate({**made.model_dump(), **said}))


@pytest.mark.parametrize("which", BAD)
def test_a_file_with_anything_else_in_it_is_refused(which: str) -> None:
    make, why = BAD[which]
    with pytest.raises(PreAuthorisationError, match=why) as refused:
        refuse_unproven([CTO, make()], HOME, PEOPLE.keys())
    assert refused.value.position == 1


def test_terms_that_are_not_what_was_signed_are_refused() -> None:
    for changed in ({"most": 50}, {"until": ONE.until + DAY}, {"set": {"service": "frontend"}}):
        with pytest.raises(PreAuthorisationError, match=r"nothing before it|not over"):
            refuse_unproven([CTO.model_copy(update={"says": terms(**changed)})], HOME, PEOPLE.keys())


def test_it_holds_for_ninety_days_at_most() -> None:
    with pytest.raises(ValueError, match="within 90 days"):
        terms(until=SINCE + 90 * DAY + timedelta(seconds=1))
    with pytest.raises(ValueError, match="within 90 days"):
        claim(HOME, terms(until=SINCE + 90 * DAY), "cto", SINCE - DAY)


def test_what_a_declaration_carries_is_whole() -> None:
    """One by a key that was ever revoked has to stand in the folder, as it could be dated at will."""
    one, register = carried(ONE), PEOPLE.keys()
    refuse_carried(one, HOME, register, ())
    forged = one.model_copy(update={"terms": terms(most=50)})
    with pytest.raises(UnprovenError, match="not over the pre-authorisation"):
        refuse_carried(forged, HOME, register, ())
    with pytest.raises(UnprovenError, match="its key is revoked"):
        refuse_carried(one, HOME, PEOPLE.keys(cto=NOW), ())
    refuse_carried(one, HOME, PEOPLE.keys(cto=NOW), signed(ONE))


TIMES = [SINCE + number * 10 * DAY for number in range(8)]
POOL = {
    (by, at, number): signature(one, by, at, first=True)
    for number, one in enumerate((ONE, OTHER))
    for by in (*BOTH, "devops-lead")
    for at in TIMES[:5]
    if at < one.until
}
REVOKED = {(by, at): revoked(ONE, by, at) for by in BOTH for at in TIMES}


def _in_force(
    one: PreAuthorisation, found: list[Entry], gone: dict[str, datetime], at: datetime, roles: tuple[str, ...]
) -> bool:
    """The rule said once more: who is in each role has signed, before their key went, and nobody has revoked."""
    own = [each for each in found if each.claim.subject == one.digest()]
    if any(each.revokes for each in own) or not one.since <= at < one.until or not roles:
        return False
    good = {each.claim.by for each in own if each.claim.at < gone.get(each.claim.by, one.until)}
    late = [each for each in own if each.claim.by in good and each.claim.at > at + timedelta(minutes=5)]
    return set(roles) <= good and not _firsts(late, own)


def _firsts(late: list[Entry], own: list[Entry]) -> list[Entry]:
    """Of each person the first signature alone counts."""
    return [one for one in late if not any(e.claim.by == one.claim.by and e.claim.at < one.claim.at for e in own)]


@settings(deadline=None, max_examples=400)
@given(
    st.lists(st.sampled_from(sorted(POOL)), max_size=6),
    st.lists(st.sampled_from(sorted(REVOKED)), max_size=1),
    st.dictionaries(st.sampled_from(BOTH), st.sampled_from(TIMES)),
    st.sampled_from(TIMES),
    st.sampled_from([BOTH, ("cto",), ()]),
)
def test_it_is_in_force_by_the_rule_and_never_otherwise(
    signatures: list[Any], revocations: list[Any], gone: dict[str, datetime], at: datetime, roles: tuple[str, ...]
) -> None:
    """Signed, revoked and keys lost in any order, looked at whenever."""
    entries = sorted([*(POOL[one] for one in signatures), *(REVOKED[one] for one in revocations)], key=_at)
    seen = set[str]()
    found = []
    for one in entries:  # the first of each says what it allows
        found.append(one if one.claim.subject not in seen else one.model_copy(update={"says": None}))
        if not one.revokes:
            seen.add(one.claim.subject)
    home = axis().model_copy(update={"preauthorisers": roles})
    keys = PEOPLE.keys(**{who.replace("-", "_"): when for who, when in gone.items()})
    for each in standing(found, home, keys):
        assert (each.refusal(at) is None) == _in_force(each.terms, found, gone, at, roles)


def _at(one: Entry) -> datetime:
    return one.claim.at
