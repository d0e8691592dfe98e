"""What many incidents came to: what counts, what counts apart, and which of a clock's runs decide."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.records import Clock
from domain.model.state import IncidentState
from domain.values.severity import Severity
from domain.values.status import Status
from reporting.statistics.tally import Group, Kept, Outcome, Spread, Stats, outcome, tally
from tests.builders import T0, minutes
from tests.domain.histories import Said, altered, answered, closed, folded

REOPENED = [*answered(3, 20, 30), Said(40, "reopen", {"reason": "it is back"})]


@pytest.mark.parametrize(
    ("said", "response", "escalation"),
    [
        (answered(3, 20), "met", "met"),
        (answered(20, 25), "breached", "met"),
        (answered(3, 45), "met", "breached"),
        (answered(3), "met", "running"),
        ([], "running", "running"),
        ([*REOPENED, Said(80, "acknowledge")], "breached", "breached"),
        ([*REOPENED, Said(42, "acknowledge")], "met", "running"),
        ([*answered(20, 25, 30), Said(40, "reopen", {"reason": "it is back"})], "breached", "running"),
        ([Said(2, "false_alarm", {"reason": "a test"})], None, None),
    ],
)
def test_a_clock_counts_as_its_runs_tell(
    said: list[Said], response: Outcome | None, escalation: Outcome | None
) -> None:
    """Missed in any run is missed; else one that runs is not over; called off is neither."""
    one = folded("system-outage", "P0", said)
    assert (outcome(one, "ack"), outcome(one, "progress")) == (response, escalation)


def test_times_count_to_the_first_acknowledgement_and_the_last_resolution() -> None:
    again = [*REOPENED, *answered(50, 55, 100)]
    total = tally([folded("system-outage", "P0", again)]).total
    assert total.time_to_acknowledge == Spread.of([180])
    assert total.time_to_resolve == Spread.of([6000])
    assert tally([folded("system-outage", "P0", REOPENED)]).total.time_to_resolve.n == 0


def test_what_is_apart_is_in_no_mean() -> None:
    """A drill, a false alarm, a dry run and upkeep change no count of incidents, no time and no clock; each is told."""
    live = folded("system-outage", "P0", [*answered(4, 20, 60), *closed(70)])
    alone = tally([live]).total
    apart = [
        folded("system-outage", "P0", answered(1, 2, 3), mode="drill"),
        folded("system-outage", "P0", [*answered(1), Said(2, "false_alarm", {"reason": "a test"})]),
        folded("system-outage", "P0", answered(1, 2, 3), mode="dry-run"),
        folded("contact-validation", "P3", [], mode="upkeep"),
    ]
    stats = tally([live, *apart])
    assert stats.total == alone.model_copy(update={"drills": 1, "false_alarms": 1})
    assert (stats.dry_runs, stats.upkeep) == (1, 1)
    assert alone.response == Kept(met=1)
    assert (alone.incidents, alone.open) == (1, 0)


def test_open_is_what_has_not_ended() -> None:
    """Resolved is still open; its times count all the same."""
    total = tally([folded("system-outage", "P0", answered(4, 20, 60)), folded("database", "P1")]).total
    assert (total.incidents, total.open, total.time_to_resolve.n, total.time_to_acknowledge.n) == (2, 2, 1, 1)
    assert (total.response, total.escalation) == (Kept(met=1, running=1), Kept(met=1, running=1))


def test_the_severity_that_stands_counts() -> None:
    raised = [*answered(3), Said(5, "reclassify", {"severity": "P0", "reason": "it spreads"})]
    assert [group.name for group in tally([folded("database", "P1", raised)]).by_severity] == ["P0"]


def test_groups_stand_in_order() -> None:
    """P0 first; the type with most incidents first, then by name. A group of drills alone is there too."""
    kinds = [("feature-failure", "P3"), ("database", "P1"), ("alert-storm", "P1"), ("database", "P2")]
    stats = tally([*(folded(type_, severity) for type_, severity in kinds), folded("security", "P0", mode="drill")])
    assert [group.name for group in stats.by_severity] == ["P0", "P1", "P2", "P3"]
    assert [group.name for group in stats.by_type] == ["database", "alert-storm", "feature-failure", "security"]
    assert (stats.by_severity[0].incidents, stats.by_severity[0].drills) == (0, 1)


def test_nothing_is_told_as_nothing() -> None:
    assert tally([]) == Stats(total=Group(name="all"), by_severity=[], by_type=[])
    assert Spread.of([]) == Spread(n=0)


@given(st.lists(st.integers(0, 10**8), min_size=1))
def test_mean_and_median_lie_between_the_extremes(seconds: list[int]) -> None:
    spread = Spread.of([float(one) for one in seconds])
    assert spread.n == len(seconds)
    assert (spread.min_seconds, spread.max_seconds) == (min(seconds), max(seconds))
    for middle in (spread.mean_seconds, spread.median_seconds):
        assert middle is not None
        assert min(seconds) <= round(middle, 3) <= max(seconds)
    assert spread.median_seconds is not None
    below = sum(one <= spread.median_seconds for one in seconds)
    above = sum(one >= spread.median_seconds for one in seconds)
    assert min(below, above) * 2 >= len(seconds)


BASE = folded("system-outage", "P0", answered(4, 20, 60))


@st.composite
def accounts(draw: st.DrawFn) -> IncidentState:
    """Any account as far as the figures look at it."""
    moment = st.none() | st.integers(0, 10**6).map(lambda count: T0 + timedelta(seconds=count))
    states = st.lists(st.tuples(st.sampled_from(["ack", "progress", "update"]), st.sampled_from(STATES)), max_size=5)
    runs = [
        Clock.model_validate({"name": name, "started_at": T0, "due_at": T0 + minutes(15), "state": state})
        for name, state in draw(states)
    ]
    type_ = draw(st.sampled_from(["system-outage", "database", "security"]))
    declared = {
        "mode": draw(st.sampled_from(["live", "live", "drill", "dry-run"])),
        "runbook": BASE.declaration.runbook.model_copy(update={"id": type_}),
    }
    changed: dict[str, Any] = {
        "status": draw(st.sampled_from(list(Status))),
        "severity": draw(st.sampled_from(list(Severity))),
        "first_acknowledged_at": draw(moment),
        "resolved_at": draw(moment),
        "clocks": runs,
    }
    return altered(BASE, declared, **changed)


STATES = ["running", "met", "breached", "cancelled"]


@given(st.lists(accounts(), max_size=12), st.randoms(use_true_random=False))
def test_every_incident_is_told_once(many: list[IncidentState], random: Any) -> None:
    """Severities and types each add up to the whole; nobody is lost, and the order does not matter."""
    stats = tally(many)
    total = stats.total
    for groups in (stats.by_severity, stats.by_type):
        for field in ("incidents", "open", "false_alarms", "drills"):
            assert sum(getattr(group, field) for group in groups) == getattr(total, field)
        for clock in ("response", "escalation"):
            for field in ("met", "breached", "running"):
                assert sum(getattr(getattr(g, clock), field) for g in groups) == getattr(getattr(total, clock), field)
    assert total.incidents + total.false_alarms + total.drills + stats.dry_runs == len(many)
    assert total.response.ended + total.response.running <= total.incidents
    shuffled = list(many)
    random.shuffle(shuffled)
    assert tally(shuffled) == stats


@given(st.lists(accounts(), max_size=8), st.lists(accounts(), max_size=4))
def test_drills_and_false_alarms_never_move_a_time(many: list[IncidentState], more: list[IncidentState]) -> None:
    apart = [
        altered(one, {"mode": "drill"}) if number % 2 else altered(one, {"mode": "live"}, status=Status.FALSE_ALARM)
        for number, one in enumerate(more)
    ]
    before, after = tally(many).total, tally([*many, *apart]).total
    unmoved = {"drills", "false_alarms"}
    assert before.model_dump(exclude=unmoved) == after.model_dump(exclude=unmoved)
    assert after.drills + after.false_alarms == before.drills + before.false_alarms + len(apart)
