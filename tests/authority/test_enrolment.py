"""The register grows by entries that somebody signs who may; whatever else stands in the file is refused."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from authority.enrolment import Enrolled, EnrolmentError, Revoked, register_of
from authority.proofs import Proof
from authority.ssh_keys import SK_ED25519
from tests.authority.signing import TOUCHED, Token
from tests.authority.test_claims import AT

HOME = "axis-imaging"
FIRST, SECOND, THIRD = (Token(SK_ED25519) for _ in range(3))
OF = {"technical-manager": FIRST, "cto": SECOND, "devops-lead": THIRD}
HOUR = timedelta(hours=1)
Entry = Enrolled | Revoked


def enrolled(contact: str, by: str = "technical-manager", at: datetime = AT, **fields: Any) -> Enrolled:
    return Enrolled(by=by, at=at, contact=contact, method="ssh", public=OF[contact].line, **fields)


def revoked(contact: str, at: datetime, until: datetime, by: str = "technical-manager") -> Revoked:
    return Revoked(by=by, at=at, key=OF[contact].key.fingerprint, until=until)


def signed(entry: Entry, organisation: str = HOME, token: Token | None = None) -> Entry:
    """Signed by whoever makes it, or by another's token in their name."""
    held = token or OF[entry.by]
    signature = held.signed(entry.claim(organisation).canonical(), TOUCHED)
    return entry.model_copy(update={"proof": Proof(method="ssh", key=held.key.fingerprint, signature=signature)})


ROOT = enrolled("technical-manager", enrols=True)
CTO = signed(enrolled("cto", at=AT + HOUR))


def refused(*entries: Entry, organisation: str = HOME) -> tuple[int, str]:
    with pytest.raises(EnrolmentError) as error:
        register_of(entries, organisation)
    return error.value.position, str(error.value)


def test_each_key_proves_from_its_entry_on() -> None:
    register = register_of([ROOT, CTO], HOME)
    root, cto = register
    assert [(key.contact, key.since, key.enrols, key.by) for key in (root, cto)] == [
        ("technical-manager", AT, True, "technical-manager"),
        ("cto", AT + HOUR, False, "technical-manager"),
    ]
    assert not cto.proves_at(AT)
    assert cto.proves_at(AT + HOUR)


def test_a_revoked_key_still_proves_what_was_before() -> None:
    """Also where its loss is found later: the entry says since when it is lost."""
    lost = signed(revoked("cto", at=AT + 9 * HOUR, until=AT + 5 * HOUR))
    _, cto = register_of([ROOT, CTO, lost], HOME)
    assert cto.proves_at(AT + 5 * HOUR - timedelta(seconds=1))
    assert not cto.proves_at(AT + 5 * HOUR)
    longer = signed(revoked("cto", at=AT + 10 * HOUR, until=AT + 6 * HOUR))
    assert refused(ROOT, CTO, lost, longer)[0] == 3


def test_the_first_is_vouched_for_by_the_file_and_may_enrol() -> None:
    says = "the first entry enrols, with enrols: true, a key of whoever makes it"
    assert refused(enrolled("technical-manager")) == (0, says)
    assert refused(enrolled("cto", enrols=True)) == (0, says)
    assert refused(revoked("cto", AT, AT)) == (0, says)
    assert refused(signed(ROOT))[1].startswith("nothing can prove the first entry")


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (enrolled("cto", at=AT + HOUR), "nobody has signed it"),
        (signed(enrolled("cto", at=AT + HOUR), "example"), "it is not over this claim"),
        (signed(enrolled("cto", at=AT + HOUR), token=THIRD), "no key of the register is called so"),
        (signed(enrolled("cto", at=AT - HOUR)), "it is older than the entry before it"),
        (signed(enrolled("technical-manager", at=AT + HOUR)), "is technical-manager's already"),
        (signed(revoked("cto", AT + HOUR, AT + HOUR)), "no key SHA256:"),
        (signed(revoked("technical-manager", AT + HOUR, AT - HOUR)), "was enrolled after that"),
    ],
)
def test_what_nobody_signed_who_may_is_refused(entry: Entry, why: str) -> None:
    position, said = refused(ROOT, entry)
    assert position == 1
    assert why in said


def test_a_key_that_does_not_enrol_signs_no_entry() -> None:
    """Nor does one whose power to do so was taken; one that has it given enrols."""
    late = AT + 2 * HOUR
    by_cto = signed(enrolled("devops-lead", by="cto", at=late))
    assert "was enrolled without enrols" in refused(ROOT, CTO, by_cto)[1]
    may = signed(enrolled("cto", at=AT + HOUR, enrols=True))
    assert len(list(register_of([ROOT, may, by_cto], HOME))) == 3
    taken = signed(revoked("cto", AT + HOUR, AT + HOUR))
    assert "does not prove anything at that time" in refused(ROOT, may, taken, by_cto)[1]


def test_a_key_that_is_none_is_no_entry() -> None:
    with pytest.raises(ValidationError, match="write a public key as its"):
        Enrolled(by="cto", at=AT, contact="cto", method="ssh", public="ssh-ed25519 not-base64")


ALTERED = st.sampled_from(["by", "contact", "at", "enrols", "public"])


@settings(max_examples=60)
@given(ALTERED, st.sampled_from(sorted(OF)))
def test_nothing_of_a_signed_entry_can_be_altered(field: str, other: str) -> None:
    to = {"by": other, "contact": other, "at": AT + 3 * HOUR, "enrols": True, "public": OF[other].line}[field]
    altered = CTO.model_copy(update={field: to})
    if altered != CTO:
        assert refused(ROOT, altered)[0] == 1


@settings(max_examples=30)
@given(st.permutations(range(4)))
def test_entries_hold_in_the_order_in_which_they_were_made(order: list[int]) -> None:
    """In any other somebody signs before they have a key, or a time goes backwards."""
    made = [
        ROOT,
        signed(enrolled("cto", at=AT + HOUR, enrols=True)),
        signed(enrolled("devops-lead", by="cto", at=AT + 2 * HOUR)),
        signed(revoked("cto", AT + 3 * HOUR, AT + 3 * HOUR)),
    ]
    if all(sooner < later for sooner, later in pairwise(order)):
        assert [key.contact for key in register_of(made, HOME)] == ["technical-manager", "cto", "devops-lead"]
    else:
        refused(*(made[at] for at in order))
