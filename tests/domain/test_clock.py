"""Who is paged when, and that nobody else is: the contract's table, walked minute by minute."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.commands import Acknowledge, Mitigated, Reclassify
from domain.model.declaration import Declaration
from domain.rules import clock
from domain.rules.live import LiveIncident
from domain.rules.paging import unanswered
from domain.values.severity import Severity
from tests.builders import CHAIN, LEADS, T0, declaration, minutes, organisation, runbook, with_notices
from tests.domain.speaking import clock_of

FIRST = [*LEADS, "technical-manager"]


def walk(incident: LiveIncident, until: datetime, at: dict[float, tuple[str, object]] | None = None) -> None:
    """Fire every due thing at its instant, and say what people say at their minutes."""
    said = sorted((T0 + minutes(minute), *what) for minute, what in (at or {}).items())
    while True:
        due = clock.next_due(incident.state)
        instant = due.at if due else until
        if said and said[0][0] < instant:
            when, name, command = said.pop(0)
            assert incident.hear(name, command, when) is None  # type: ignore[arg-type]
            continue
        if instant > until or due is None:
            return
        incident.pass_time(instant)


def pages(incident: LiveIncident) -> dict[float, list[str]]:
    by_minute: dict[float, list[str]] = {}
    for page in incident.state.pages:
        by_minute.setdefault((page.at - T0) / minutes(1), []).append(page.role)
    return by_minute


def test_p0_nobody_acknowledges() -> None:
    """Exactly the pages of the table's first column are sent, re-pages included, and no other."""
    incident = LiveIncident.declared(declaration())
    walk(incident, T0 + minutes(64))
    expected = dict.fromkeys((0, 5, 10), FIRST)
    expected |= {minute: [*FIRST, "cto"] for minute in (15, 20, 25)}
    expected |= {minute: [*FIRST, "cto", "ceo"] for minute in range(30, 64, 5)}
    assert {m: sorted(roles) for m, roles in pages(incident).items()} == {m: sorted(r) for m, r in expected.items()}
    assert clock_of(incident, "ack").state == "breached"


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("minute", [60, 47, 0])
def test_what_nobody_answers_is_told_beforehand(severity: Severity, minute: float) -> None:
    """Whoever counts what an hour costs counts the pages that the rules send."""
    people = organisation().model_copy(update={"on_call": tuple(LEADS)})
    incident = LiveIncident.declared(declaration(severity=severity, organisation=people))
    walk(incident, T0 + minutes(minute))
    sent: dict[float, set[str]] = {}
    for page in incident.state.pages:
        sent.setdefault((page.at - T0) / minutes(1), set()).add(page.to)
    told = unanswered(people, severity, minutes(minute))
    assert sent == {at / minutes(1): {one.id for one in paged} for at, paged in told.items()}


def test_p0_acknowledged_never_mitigated() -> None:
    """After an acknowledgement only a reached level of the progress clock pages, once."""
    incident = LiveIncident.declared(declaration())
    walk(incident, T0 + minutes(600), {3: ("acknowledge", Acknowledge(by="devops-lead"))})
    assert pages(incident) == {0: FIRST, 30: ["cto"], 60: ["ceo"]}
    assert clock_of(incident, "ack").state == "met"
    assert clock_of(incident, "progress").state == "breached"


def test_p0_acknowledged_late_repeats_no_level() -> None:
    """A level that the acknowledgement clock reached is not paged again by the progress clock."""
    incident = LiveIncident.declared(declaration())
    walk(incident, T0 + minutes(600), {17: ("acknowledge", Acknowledge(by="cto"))})
    assert sorted(pages(incident)) == [0, 5, 10, 15, 60]
    assert pages(incident)[60] == ["ceo"]


def test_p1_nobody_acknowledges() -> None:
    """Leads join one by one, then the chain at 60, 120 and 480 minutes."""
    incident = LiveIncident.declared(declaration(severity=Severity.P1))
    walk(incident, T0 + minutes(480))
    seen = pages(incident)
    assert sorted(seen) == [15 * tick for tick in range(33)]
    assert seen[0] == LEADS[:1]
    assert sorted(seen[15]) == sorted(LEADS[:2])
    assert sorted(seen[45]) == sorted(LEADS)
    assert sorted(seen[60]) == sorted([*LEADS, "technical-manager"])
    assert sorted(seen[120]) == sorted([*LEADS, *CHAIN[:2]])
    assert sorted(seen[465]) == sorted([*LEADS, *CHAIN[:2]])
    assert sorted(seen[480]) == sorted([*LEADS, *CHAIN])


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        (Severity.P1, {0: ["devops-lead"], 120: ["technical-manager"], 240: ["cto"], 480: ["ceo"]}),
        (Severity.P2, {0: ["devops-lead"], 480: ["technical-manager"], 960: ["cto"]}),
        (Severity.P3, {0: ["devops-lead"], 2880: ["technical-manager"]}),
    ],
)
def test_acknowledged_at_once(severity: Severity, expected: dict[float, list[str]]) -> None:
    """Acknowledged and never mitigated: the chain at its unmitigated times and nobody else."""
    incident = LiveIncident.declared(declaration(severity=severity))
    walk(incident, T0 + minutes(10000), {1: ("acknowledge", Acknowledge(by="devops-lead"))})
    assert pages(incident) == expected


def test_p2_and_p3_unacknowledged() -> None:
    """P2 re-pages hourly with the manager at 4 h and the CTO at 16 h; P3 every 8 h with the manager at 48 h."""
    second = LiveIncident.declared(declaration(severity=Severity.P2))
    walk(second, T0 + minutes(960))
    assert sorted(pages(second)) == [60 * hour for hour in range(17)]
    assert sorted(pages(second)[240]) == sorted([*LEADS, "technical-manager"])
    assert sorted(pages(second)[960]) == sorted([*LEADS, "technical-manager", "cto"])
    third = LiveIncident.declared(declaration(severity=Severity.P3))
    walk(third, T0 + minutes(2880))
    assert sorted(pages(third)) == [480 * tick for tick in range(7)]
    assert sorted(pages(third)[2880]) == sorted([*LEADS, "technical-manager"])


def test_mitigation_ends_paging() -> None:
    """Once mitigated, nobody is paged any more."""
    incident = LiveIncident.declared(declaration())
    said: dict[float, tuple[str, object]] = {
        3: ("acknowledge", Acknowledge(by="devops-lead")),
        20: ("mitigated", Mitigated(by="devops-lead", summary="rolled back")),
    }
    walk(incident, T0 + minutes(600), said)
    assert pages(incident) == {0: FIRST}
    assert clock_of(incident, "progress").state == "met"


def test_raised_unacknowledged_recomputes_from_now() -> None:
    """P1 to P0: everybody of a P0 is paged at once and the deadline is the nearer of the two."""
    incident = LiveIncident.declared(declaration(severity=Severity.P1))
    raised = Reclassify(by="devops-lead", severity=Severity.P0, reason="portal unusable")
    walk(incident, T0 + minutes(30), {22: ("reclassify", raised)})
    seen = pages(incident)
    assert sorted(seen) == [0, 15, 22, 27]
    assert sorted(seen[22]) == sorted(FIRST) == sorted(seen[27])
    assert clock_of(incident, "ack").due_at == T0 + minutes(37)


def test_raised_acknowledged_stands() -> None:
    """An acknowledgement stands: only the chain is engaged, counted from the rise."""
    incident = LiveIncident.declared(declaration(severity=Severity.P1))
    said: dict[float, tuple[str, object]] = {
        1: ("acknowledge", Acknowledge(by="devops-lead")),
        20: ("reclassify", Reclassify(by="devops-lead", severity=Severity.P0, reason="down")),
    }
    walk(incident, T0 + minutes(200), said)
    assert pages(incident) == {0: ["devops-lead"], 20: ["technical-manager"], 50: ["cto"], 80: ["ceo"]}
    assert clock_of(incident, "ack").state == "met"


def test_lowering_never_lowers_the_level() -> None:
    """After lowering, whoever was engaged stays engaged and the next re-page follows the new interval."""
    incident = LiveIncident.declared(declaration())
    said: dict[float, tuple[str, object]] = {17: ("reclassify", Reclassify(by="cto", severity="P1", reason="partial"))}
    walk(incident, T0 + minutes(46), said)
    seen = pages(incident)
    assert sorted(seen) == [0, 5, 10, 15, 30, 45]
    assert sorted(seen[30]) == sorted([*FIRST, "cto"]) == sorted(seen[45])


def test_a_late_wake_up_pages_once() -> None:
    """A worker that slept through several re-pages sends one wave, and goes on at the next tick."""
    incident = LiveIncident.declared(declaration())
    incident.pass_time(T0)
    incident.pass_time(T0 + minutes(17))
    assert sorted(pages(incident)[17]) == sorted([*FIRST, "cto"])
    assert clock.next_due(incident.state).at == T0 + minutes(20)  # type: ignore[union-attr]


def test_notices_at_their_moments() -> None:
    """A notice goes out at its minute, is skipped when a probe found the cause, and waits for its moment."""
    incident = LiveIncident.declared(declaration(runbook=with_notices()))
    walk(incident, T0 + minutes(12), {1: ("acknowledge", Acknowledge(by="devops-lead"))})
    assert [notice.status for notice in incident.state.notices] == ["sending", "sending", "waiting", "waiting"]
    early = LiveIncident.declared(declaration(runbook=with_notices()))
    said: dict[float, tuple[str, object]] = {
        1: ("acknowledge", Acknowledge(by="devops-lead")),
        2: ("mitigated", Mitigated(by="devops-lead", summary="it was a false start")),
    }
    walk(early, T0 + minutes(30), said)
    assert [notice.status for notice in early.state.notices] == ["skipped", "skipped", "sending", "waiting"]


@given(
    st.sampled_from(list(Severity)),
    st.lists(st.integers(0, 3000), max_size=8).map(sorted),
    st.sampled_from([1, 60]),
)
def test_waking_up_at_any_time_is_safe(severity: Severity, wakes: list[int], speed: int) -> None:
    """However late it wakes: levels only rise, nobody is paged twice in a wave, what is due lies ahead."""
    declared: Declaration = declaration(severity=severity, speed=speed, runbook=runbook())
    incident = LiveIncident.declared(declared)
    level = 0
    for wake in wakes:
        now = T0 + minutes(wake) / speed
        before = len(incident.state.pages)
        incident.pass_time(now)
        wave = [page.to for page in incident.state.pages[before:]]
        assert len(wave) == len(set(wave))
        assert incident.state.paging.level >= level
        level = incident.state.paging.level
        due = clock.next_due(incident.state)
        assert due is None or due.at > now
    assert incident.timeline.first_broken() is None


def test_speed_shortens_every_deadline() -> None:
    """At speed 60 the fifteenth minute comes after fifteen seconds."""
    incident = LiveIncident.declared(declaration(speed=60))
    walk(incident, T0 + timedelta(seconds=15))
    assert sorted(pages(incident)) == [0, 5 / 60, 10 / 60, 15 / 60]
