"""A delegation counts while it is in force, as whoever may make it has signed it, and not a second longer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authority.delegations import (
    DelegationError,
    Entry,
    Judged,
    Withdrawal,
    counting,
    judged,
    refuse_carried,
    refuse_unproven,
)
from authority.proofs import UnprovenError
from domain.config.delegation import BEYOND, Delegation, standing, twin
from domain.config.organisation import Contact, Organisation
from tests.authority.approving import TOKENS, keys
from tests.authority.test_claims import AT
from tests.builders import organisation
from tests.delegating import HOUR, signed

ROLES = {"ann": "devops-lead", "bob": "cto", "cas": "security-lead", "dee": "compliance-officer"}
SECOND = timedelta(seconds=1)


def home(**held: str) -> Organisation:
    """Ann leads, Bob is above her in the chain, and Dee's signature under runbooks is asked for beside Bob's."""
    plain = organisation()
    channels = plain.contacts[0].channels
    contacts = tuple(Contact(id=who, roles=(role,), channels=channels) for who, role in {**ROLES, **held}.items())
    checked = ("cto", "compliance-officer")
    return plain.model_copy(update={"contacts": contacts, "chain": ("cto",), "runbook_approvers": checked})


HOME = home()


def made(by: str = "ann", role: str = "devops-lead", to: str = "cas", **other: Any) -> Delegation:
    said = {"role": role, "to": to, "since": AT, "until": AT + 8 * HOUR, "reason": "ill", "by": by, "at": AT, **other}
    return Delegation.model_validate(said)


def by_key(entry: Entry, whose: str | None = None) -> Any:
    return signed(entry, HOME.id, TOKENS[whose or entry.by])


def ended(one: Delegation, by: str, after: timedelta = HOUR) -> Withdrawal:
    return Withdrawal(ends=one.id, reason="back", by=by, at=one.at + after)


def holders(entries: Sequence[Entry], at: datetime, people: Organisation = HOME, **until: datetime) -> set[str]:
    known = counting(entries, people, keys(TOKENS, **until))
    return {one.id for one in standing(people, known, at).holders("devops-lead")}


@pytest.mark.parametrize(
    ("at", "hold"),
    [
        (AT - SECOND, {"ann"}),
        (AT, {"ann", "cas"}),
        (AT + 8 * HOUR - SECOND, {"ann", "cas"}),
        (AT + 8 * HOUR, {"ann"}),
    ],
)
def test_it_holds_from_its_beginning_until_its_end(at: datetime, hold: set[str]) -> None:
    """Beside the holder, who loses nothing."""
    assert holders([by_key(made())], at) == hold


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (made(), True),
        (made(by="bob"), True),
        (made(by="dee"), False),
        (made(by="cas", to="dee"), False),
        (made(by="bob", role="compliance-officer"), False),
        (made(by="dee", role="compliance-officer"), True),
        (made(by="bob", role="cto"), True),
        (made(by="ann", role="cto", to="dee"), False),
        (made(to="nobody"), False),
        (made(role="astronaut", by="bob"), False),
        (made(by="bob", to="ann"), False),
    ],
    ids=[
        "holder",
        "above",
        "beside",
        "another's",
        "of who checks",
        "checks herself",
        "of the chain",
        "below",
        "no contact",
        "no role",
        "holds it",
    ],
)
def test_who_may_have_somebody_stand_in(one: Delegation, counts: bool) -> None:
    """Whoever holds the role, or one above it in the chain; a role that signs runbooks is its holders' alone."""
    assert counting([by_key(one)], HOME, keys()) == ((by_key(one),) if counts else ())


def test_nothing_is_delegated_onwards() -> None:
    """Cas stands in for Ann, and names nobody herself."""
    first, second = made(), made(by="cas", to="dee", at=AT + HOUR, since=AT + HOUR)
    known = counting([by_key(first), by_key(second)], HOME, keys())
    assert [one.id for one in known] == [first.id]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"until": AT + timedelta(days=90) + SECOND}, "ends within 90 days"),
        ({"until": AT}, "begins when it is made or later"),
        ({"since": AT - SECOND}, "begins when it is made or later"),
        ({"role": "incident-commander"}, "handed over"),
        ({"to": "ann"}, "never themselves"),
        ({"until": AT + timedelta(seconds=1.5)}, "to the second"),
    ],
)
def test_what_is_no_delegation(other: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(**other)


@pytest.mark.parametrize("by", ["ann", "bob", "cas", "dee"])
def test_who_ends_it_early(by: str) -> None:
    """Who may make it, and who stands in; of anybody else it counts for nothing."""
    one = made()
    entries = [by_key(one), by_key(ended(one, by))]
    refuse_unproven(entries, HOME.id, keys())
    assert holders(entries, AT + HOUR - SECOND) == {"ann", "cas"}
    assert ("cas" in holders(entries, AT + HOUR)) == (by == "dee")


def test_a_role_that_is_somebody_elses_by_now_is_not_lent_any_more() -> None:
    """What Ann signed goes with her role; the file is read all the same."""
    now = home(ann="security-lead", cas="devops-lead")
    assert counting([by_key(made(to="dee"))], now, keys()) == ()


def test_one_that_counts_for_nothing_is_told_with_the_reason_and_its_end() -> None:
    """Whoever may ends it as any other; a signed copy of an unsigned one counts, whatever became of that."""
    plain, lost = made(), by_key(made(by="dee"))
    entries = [plain, lost, by_key(ended(lost, "bob")), by_key(ended(plain, "ann", 2 * HOUR))]
    assert judged(entries, HOME, keys()) == (
        Judged(0, plain.model_copy(update={"ended": AT + 2 * HOUR}), "nobody has signed it"),
        Judged(
            1,
            lost.model_copy(update={"ended": AT + HOUR}),
            "dee may not: devops-lead is delegated by devops-lead or cto",
        ),
    )
    assert judged([*entries, by_key(plain)], HOME, keys())[0] == Judged(4, by_key(plain), None)
    revoked = judged([by_key(plain)], HOME, keys(TOKENS, ann=AT))
    assert [one.why for one in revoked] == ["the key of ann was revoked before it signed"]


def test_what_a_key_signed_before_it_was_revoked_stays() -> None:
    """And what it signed from then on counts for nothing, though the revocation was dated back later."""
    entries = [by_key(made())]
    assert holders(entries, AT, ann=AT + SECOND) == {"ann", "cas"}
    assert holders(entries, AT, ann=AT) == {"ann"}
    refuse_unproven(entries, HOME.id, keys(ann=AT))


def test_unsigned_it_counts_in_a_sandbox_alone() -> None:
    assert counting([made()], HOME, keys()) == ()
    assert counting([made()], HOME, keys(), unsigned=True) == (made(),)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([by_key(made(), "bob")], "the key is not ann's"),
        ([by_key(made()).model_copy(update={"until": AT + 9 * HOUR})], "the signature proves nothing"),
        ([by_key(made()).model_copy(update={"to": "dee"})], "the signature proves nothing"),
        ([made().model_copy(update={"ended": AT})], "leave out ended"),
        ([by_key(ended(made(), "ann"))], "no delegation"),
        ([by_key(made(at=AT, since=AT)), by_key(made(by="bob", at=AT - SECOND))], "only added"),
    ],
    ids=["another's key", "longer", "another", "said to be ended", "none", "older"],
)
def test_a_file_with_anything_else_in_it_is_refused(entries: list[Entry], why: str) -> None:
    with pytest.raises(DelegationError, match=why) as refused:
        refuse_unproven(entries, HOME.id, keys())
    assert refused.value.position == len(entries) - 1


def test_what_comes_with_a_declaration_is_whole_or_known() -> None:
    """One by a key that was revoked since has to stand in the folder: it could be dated at will."""
    one = by_key(made())
    refuse_carried(one, HOME, keys(), ())
    refuse_carried(one, HOME, keys(ann=AT + HOUR), (one,))
    with pytest.raises(UnprovenError):
        refuse_carried(one, HOME, keys(TOKENS, ann=AT), (one,))
    with pytest.raises(UnprovenError, match="ann may not"):
        refuse_carried(
            by_key(made(to="dee")), home(ann="security-lead", cas="devops-lead"), keys(), (by_key(made(to="dee")),)
        )
    cases: list[tuple[Delegation, dict[str, datetime]]]
    cases = [(made(), {}), (by_key(made(by="dee")), {}), (one, {"ann": AT + HOUR})]
    for other, until in cases:
        with pytest.raises(UnprovenError):
            refuse_carried(other, HOME, keys(TOKENS, **until), ())


def test_two_that_overlap_are_told_apart_from_two_in_a_row() -> None:
    one, later = made(), made(at=AT, since=AT + 8 * HOUR, until=AT + 9 * HOUR)
    assert twin(later, [one]) is None
    assert twin(made(by="bob", since=AT + HOUR), [one]) == one
    assert twin(made(since=AT + HOUR), [one.model_copy(update={"ended": AT + HOUR})]) is None


@pytest.mark.parametrize(
    ("said", "begun", "end", "counts"),
    [
        (HOUR, HOUR, None, True),
        (-SECOND, HOUR, None, False),
        (8 * HOUR, 8 * HOUR, None, False),
        (8 * HOUR - SECOND, 8 * HOUR + BEYOND - SECOND, None, True),
        (8 * HOUR - SECOND, 8 * HOUR + BEYOND, None, False),
        (HOUR, 2 * HOUR - SECOND, 2 * HOUR, True),
        (HOUR, 2 * HOUR, 2 * HOUR, False),
    ],
)
def test_how_long_a_vote_in_time_counts(said: timedelta, begun: timedelta, end: timedelta | None, counts: bool) -> None:
    """What it decides may begin within an hour of the end; ended early, at once nothing more."""
    one = made().model_copy(update={"ended": None if end is None else AT + end})
    assert one.holds_vote(AT + said, AT + begun) == counts


TIMES = st.integers(0, 12).map(lambda hours: AT + hours * HOUR)
PEOPLE = st.sampled_from(sorted(ROLES))


@st.composite
def files(draw: st.DrawFn) -> list[Entry]:
    """Entries one after another, as people of all kinds would sign them; some end those before."""
    entries: list[Entry] = []
    for at in sorted(draw(st.lists(TIMES, max_size=6))):
        known = [one for one in entries if isinstance(one, Delegation)]
        by = draw(PEOPLE)
        ends = draw(st.sampled_from([None, *(one.id for one in known)]))
        if ends is not None:
            entries.append(by_key(Withdrawal(ends=ends, reason="back", by=by, at=at)))
            continue
        to = draw(st.sampled_from(sorted({*ROLES} - {by})))
        since = at + draw(st.integers(0, 3)) * HOUR
        span = {"since": since, "until": since + draw(st.integers(1, 6)) * HOUR}
        entries.append(by_key(made(by=by, role=draw(st.sampled_from(list(ROLES.values()))), to=to, at=at, **span)))
    return entries


def _holds(entries: list[Entry], who: str, role: str, at: datetime, revoked: dict[str, datetime]) -> bool:
    """The rule said once more: somebody lent it in time, with a good key, and nobody who may had taken it back."""
    above = {
        "cto": {"bob"},
        "compliance-officer": {"dee"},
        "devops-lead": {"ann", "bob"},
        "security-lead": {"cas", "bob"},
    }

    def good(one: Entry) -> bool:
        return one.by not in revoked or one.at < revoked[one.by]

    for number, one in enumerate(entries):
        if not isinstance(one, Delegation) or (one.to, one.role) != (who, role) or not one.since <= at < one.until:
            continue
        back = [
            other
            for other in entries[number:]
            if isinstance(other, Withdrawal) and other.ends == one.id and good(other) and other.at <= at
        ]
        taken = any(other.by in {one.to, *above[role]} for other in back)
        if good(one) and one.by in above[role] and not taken:
            return True
    return ROLES[who] == role


@settings(deadline=None, max_examples=300)
@given(files(), TIMES, st.dictionaries(PEOPLE, TIMES, max_size=2))
def test_nobody_holds_a_role_outside_the_time_of_a_delegation(
    entries: list[Entry], at: datetime, revoked: dict[str, datetime]
) -> None:
    """Over delegations, their ends and revocations of keys: judged by a simpler statement of the rule."""
    people = standing(HOME, counting(entries, HOME, keys(TOKENS, **revoked)), at)
    held = {(who.id, role) for who in people.contacts for role in who.roles}
    for who in ROLES:
        for role in ROLES.values():
            assert ((who, role) in held) == _holds(entries, who, role, at, revoked), (who, role)
