"""Who stands in is paged, heard and told of from when the delegation begins until it is over, and no longer."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.config.delegation import Delegation
from domain.model.commands import Delegate, EndDelegation, Reclassify
from domain.model.event_kinds import event_of
from domain.model.events import PageAsked
from domain.model.records import Link
from domain.rules import clock
from domain.rules.evolve import fold
from domain.rules.live import LiveIncident
from domain.values.severity import Severity
from tests.activities.report_worlds import Played
from tests.builders import LEADS, T0, declaration, minutes
from tests.delegating import HOUR, delegation
from tests.domain.speaking import say

SECOND = timedelta(seconds=1)
FIRST = [*LEADS, "technical-manager"]


def pages(incident: LiveIncident, after: int = 0) -> list[tuple[str, str]]:
    """Everybody who was paged behind the entry of this number, and as which role."""
    events = (event_of(entry) for entry in incident.timeline.entries[after:])
    return [(event.to, event.role) for event in events if isinstance(event, PageAsked)]


def told(one: Delegation) -> Played:
    """An incident that is told of it a minute after it was declared."""
    played, at = Played(declaration()), T0 + minutes(1)
    played.now = at
    assert played.incident.hear("delegate", Delegate(by=one.by, delegation=one), at) is None
    return played


def test_a_stand_in_is_paged_beside_the_holder() -> None:
    """From the first page on, once a round, though they hold roles of their own; and nobody else is."""
    played = Played(declaration(delegations=(delegation(to="security-lead"), delegation(role="technical-manager"))))
    assert pages(played.incident) == [
        ("devops-lead", "devops-lead"),
        ("security-lead", "devops-lead"),
        ("development-lead", "development-lead"),
        ("technical-manager", "technical-manager"),
        ("privacy-officer", "technical-manager"),
    ]
    before = len(played.entries)
    played.wait(minutes(5))
    assert [who for who, _ in pages(played.incident, before)] == [who for who, _ in pages(played.incident)[:5]]


def test_nobody_is_paged_for_a_delegation_that_is_to_come_or_over() -> None:
    later = delegation(since=T0 + HOUR)
    span = {"at": T0 - 3 * HOUR, "since": T0 - 2 * HOUR, "until": T0}
    past = delegation(role="security-lead", to="cto", by="security-lead", **span)
    played = Played(declaration(delegations=(later, past)))
    assert pages(played.incident) == [(role, role) for role in FIRST]
    assert [one.in_force for one in played.incident.state.stand_ins] == [False, False]


def test_an_open_incident_pages_who_begins_to_stand_in_at_once() -> None:
    """As the role was paged before; then with every round, as the others are, until the time is over."""
    played = Played(declaration())
    before = len(played.entries)
    one = delegation(until=T0 + minutes(12))
    played.say("delegate", "devops-lead", minutes(1), delegation=one.model_dump(mode="json"))
    assert pages(played.incident, before) == [("privacy-officer", "devops-lead")]
    before = len(played.entries)
    played.wait(minutes(10))
    rounds = pages(played.incident, before)
    assert [who for who, _ in rounds].count("privacy-officer") == 2
    before = len(played.entries)
    played.wait(minutes(4))
    assert "privacy-officer" not in [who for who, _ in pages(played.incident, before)]
    assert fold(played.entries) == played.incident.state


def test_whoever_begins_to_stand_in_later_is_paged_then() -> None:
    """Nothing is said of it before, once the incident is acknowledged; then one page, and no other."""
    played = told(delegation(since=T0 + HOUR))
    played.say("acknowledge", "cto")
    before = len(played.entries)
    assert (T0 + HOUR, "privacy-officer stands in as devops-lead") in clock.upcoming(played.incident.state)
    played.wait(T0 + HOUR - SECOND - played.now)
    stood = [page for page in pages(played.incident, before) if page[0] == "privacy-officer"]
    assert stood == []
    played.wait(SECOND)
    stood = [page for page in pages(played.incident, before) if page[0] == "privacy-officer"]
    assert stood == [("privacy-officer", "devops-lead")]


def test_a_role_that_was_not_paged_pages_nobody_by_being_lent() -> None:
    played = Played(declaration())
    before = len(played.entries)
    one = delegation(role="cto", by="cto")
    played.say("delegate", "cto", minutes(1), delegation=one.model_dump(mode="json"))
    assert pages(played.incident, before) == []


@pytest.mark.parametrize(
    ("by", "one", "why"),
    [
        ("cto", delegation(), "devops-lead has made this delegation"),
        ("security-lead", delegation(by="security-lead"), "is delegated by devops-lead or technical-manager or cto"),
        ("devops-lead", delegation(to="nobody"), "'nobody' is no contact"),
        ("devops-lead", delegation(role="astronaut"), "'astronaut' is no role"),
        ("technical-manager", delegation(by="technical-manager", to="devops-lead"), "is devops-lead already"),
        ("devops-lead", delegation(ended=T0), "it is over already"),
    ],
)
def test_what_an_incident_does_not_take(by: str, one: Delegation, why: str) -> None:
    incident = LiveIncident.declared(declaration())
    said = say(incident, "delegate", Delegate(by=by, delegation=one))
    assert said is not None
    assert why in said
    assert incident.state.stand_ins == []


def test_it_is_told_once() -> None:
    played = told(delegation())
    again = Delegate(by="devops-lead", delegation=delegation())
    assert "knows of" in str(played.incident.hear("delegate", again, T0 + minutes(2)))
    other = Delegate(by="devops-lead", delegation=delegation(until=T0 + 9 * HOUR))
    assert "already stands in as devops-lead during that time" in str(
        played.incident.hear("delegate", other, T0 + minutes(2))
    )


def test_a_stand_in_delegates_nothing_onwards() -> None:
    played = told(delegation())
    onwards = delegation(by="privacy-officer", to="cto", at=T0, since=T0)
    assert "may not" in str(played.incident.hear("delegate", Delegate(by=onwards.by, delegation=onwards), T0 + HOUR))


@pytest.mark.parametrize("by", ["devops-lead", "privacy-officer", "cto", "security-lead"])
def test_who_ends_it_early(by: str) -> None:
    """Whoever may make it, and who stands in; from then on the role is lent no more."""
    one = delegation()
    incident = told(one).incident
    said = incident.hear("end_delegation", EndDelegation(by=by, delegation=one.id, reason="back"), T0 + minutes(2))
    assert (said is None) == (by != "security-lead")
    may = "privacy-officer or devops-lead or technical-manager or cto or ceo may"
    assert said in (None, f"security-lead does not end {one.id}: {may}")
    held = [who.id for who in incident.state.holders("devops-lead")]
    assert held == (["devops-lead"] if said is None else ["devops-lead", "privacy-officer"])
    assert fold(incident.timeline.entries) == incident.state


@pytest.mark.parametrize(
    ("at", "lowered"), [(HOUR - SECOND, False), (HOUR, True), (2 * HOUR - SECOND, True), (2 * HOUR, False)]
)
def test_they_do_what_the_role_may_do_to_the_second(at: timedelta, lowered: bool) -> None:
    """Though the incident's own timer has not rung yet."""
    one = delegation(role="cto", by="cto", since=T0 + HOUR, until=T0 + 2 * HOUR)
    incident = LiveIncident.declared(declaration(delegations=(one,)))
    said = say(incident, "reclassify", Reclassify(by="privacy-officer", severity=Severity.P1, reason="r"), T0 + at)
    assert (said is None) == lowered


def test_it_ends_with_the_incident() -> None:
    """Nothing of it is due any more, and nobody is told."""
    played = told(delegation())
    played.say("false_alarm", "cto", reason="none")
    before = len(played.entries)
    played.wait(10 * HOUR)
    assert [entry.kind for entry in played.entries[before:]] == []
    assert not played.incident.state.stand_ins[0].in_force


def test_what_an_incident_opens_has_the_same_stand_ins() -> None:
    one, over = delegation(), delegation(role="cto", to="ceo", by="cto", at=T0 - HOUR, until=T0 + minutes(1))
    played = Played(declaration(delegations=(over,)))
    played.say("delegate", "devops-lead", minutes(2), delegation=one.model_dump(mode="json"))
    state = played.incident.state
    books = {"security-incident": state.declaration.runbook}
    state.declaration = state.declaration.model_copy(update={"related": books})
    opened = state.opening(Link(type="security-incident", because="found"), "inc-20261123-aaaa", played.now)
    assert opened.delegations == (one,)


WHO = ["privacy-officer", "security-lead", "cto"]
OFFSETS = st.integers(0, 10).map(lambda number: T0 + number * HOUR)


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[datetime, str, dict[str, Any]]]:
    """What people say over ten hours: who stands in for the CTO, that it ends, and that the severity is another."""
    made: list[Delegation] = []
    said: list[tuple[datetime, str, dict[str, Any]]] = []
    for at in sorted(draw(st.lists(OFFSETS, min_size=3, max_size=14))):
        what = draw(st.sampled_from(["delegate", "end_delegation", "reclassify", "reclassify"]))
        if what == "delegate":
            since = at + draw(st.integers(0, 2)) * HOUR
            span = {"at": at, "since": since, "until": since + draw(st.integers(1, 4)) * HOUR}
            made.append(delegation(role="cto", to=draw(st.sampled_from(WHO[:2])), by="cto", **span))
            said.append((at, what, {"by": "cto", "delegation": made[-1]}))
        elif what == "end_delegation" and made:
            by = draw(st.sampled_from([*WHO, "ceo"]))
            said.append((at, what, {"by": by, "delegation": draw(st.sampled_from(made)).id, "reason": "back"}))
        elif what == "reclassify":
            said.append((at, what, {"by": draw(st.sampled_from(WHO)), "severity": "P1", "reason": "r"}))
    return said


@settings(deadline=None, max_examples=200)
@given(lives(), st.booleans())
def test_nobody_acts_for_a_role_outside_the_time_of_their_delegation(
    said: list[tuple[datetime, str, dict[str, Any]]], wakes: bool
) -> None:
    """Whether the timer rings in time or not: the severity is lowered by who holds the CTO's role then, and only so."""
    incident = LiveIncident.declared(declaration())
    lent: list[tuple[str, datetime, datetime, str]] = []
    for at, name, payload in said:
        if wakes:
            incident.pass_time(at)
        if name == "reclassify":
            if incident.state.severity is not Severity.P0:
                incident.hear("reclassify", Reclassify(by="cto", severity=Severity.P0, reason="worse"), at)
            refused = incident.hear(name, Reclassify.model_validate(payload), at)
            holds = payload["by"] == "cto" or any(
                who == payload["by"] and since <= at < until for who, since, until, _ in lent
            )
            assert (refused is None) == holds
        elif name == "delegate":
            one = payload["delegation"]
            if incident.hear(name, Delegate.model_validate(payload), at) is None:
                lent.append((one.to, one.since, one.until, one.id))
        elif incident.hear(name, EndDelegation.model_validate(payload), at) is None:
            lent = [
                (who, since, min(until, at), one) if one == payload["delegation"] else (who, since, until, one)
                for who, since, until, one in lent
            ]
    assert fold(incident.timeline.entries) == incident.state
