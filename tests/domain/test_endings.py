"""How an incident ends, and begins again: reopening, closing, false alarms, and silence afterwards."""

import pytest

from domain.model.commands import (
    Acknowledge,
    Close,
    CompleteTask,
    FalseAlarm,
    Mitigated,
    Note,
    Reopen,
    RequestChange,
    Resolve,
    WaiveTask,
)
from domain.model.effects import SendNotice, TellChanges
from domain.model.records import ChangeStatus
from domain.rules import clock
from domain.values.status import Status
from tests.builders import T0, minutes, with_notices
from tests.domain.speaking import BY, FINAL, clock_of, incident_in, say, timer


@pytest.mark.parametrize("status", [Status.MITIGATED, Status.RESOLVED])
def test_reopening_asks_for_an_acknowledgement_again(status: Status) -> None:
    """Reopened, an incident is declared once more: fresh clocks, everybody paged before, its commander kept."""
    incident = incident_in(status)
    at = T0 + minutes(40)
    assert say(incident, "reopen", Reopen(by="cto", reason="down again"), at) is None
    state = incident.state
    assert (state.acknowledged_at, state.mitigated_at, state.resolved_at) == (None, None, None)
    assert (state.reopened, state.commander) == (1, BY)
    assert {name: clock_of(incident, name).due_at for name in ("ack", "progress")} == {
        "ack": at + minutes(15),
        "progress": at + minutes(30),
    }
    paged = len(state.pages)
    incident.pass_time(at)
    assert {(page.role, page.reason) for page in state.pages[paged:]} == {
        (role, "reopened") for role in ("devops-lead", "development-lead", "security-lead", "technical-manager")
    }
    say(incident, "acknowledge", Acknowledge(by=BY), at + minutes(1))
    assert timer(incident, "ack") == "met"


def test_reopening_arms_the_notices_again() -> None:
    """What is told at declaration is told again after reopening, with a number of its own; nothing old follows."""
    incident = incident_in(Status.ACKNOWLEDGED, runbook=with_notices())
    incident.pass_time(T0 + minutes(5))
    say(incident, "mitigated", Mitigated(by=BY, summary="s"), T0 + minutes(6))
    incident.pass_time(T0 + minutes(6))
    say(incident, "reopen", Reopen(by=BY, reason="again"), T0 + minutes(7))
    assert incident.state.notice("investigating").due_at == T0 + minutes(12)
    assert incident.state.notice("support").due_at == T0 + minutes(17)
    incident.pass_time(T0 + minutes(12))
    sent = [effect.step for effect in incident.effects if isinstance(effect, SendNotice)]
    assert sent == ["investigating", "monitoring", "investigating"]
    assert incident.state.notice("investigating").sequence == 3


def test_closing_needs_required_tasks_and_no_change_in_flight() -> None:
    """An incident closes once each required task is done or waived and no change is under way; others may stay."""
    incident = incident_in(Status.RESOLVED)
    say(incident, "complete_task", CompleteTask(by=BY, step="assess", note="40 clinics"))
    assert say(incident, "close", Close(by=BY)) == "tasks are open (done or waive them): review"
    say(incident, "waive_task", WaiveTask(by=BY, step="review", reason="drill"))
    assert say(incident, "complete_task", CompleteTask(by=BY, step="review")) == "task 'review' is already waived"
    assert "no task 'nothing'" in str(say(incident, "complete_task", CompleteTask(by=BY, step="nothing")))
    say(incident, "request_change", RequestChange(by=BY, step="rollback"))
    assert "changes are still in flight" in str(say(incident, "close", Close(by=BY)))
    incident.state.changes[0].status = ChangeStatus.REJECTED
    assert say(incident, "close", Close(by=BY)) is None
    assert incident.state.task("training").status == "open"
    assert incident.state.closed_at == T0 + minutes(9)


def test_resolving_waits_for_changes_in_flight() -> None:
    """Nothing is resolved while a change may still be applied."""
    incident = incident_in(Status.MITIGATED)
    say(incident, "request_change", RequestChange(by=BY, step="rollback"))
    assert "changes are still in flight" in str(say(incident, "resolve", Resolve(by=BY, summary="s")))


def test_a_phase_is_met_with_its_last_required_task() -> None:
    """A phase's clock stops when its required tasks are ended."""
    incident = incident_in(Status.DECLARED)
    assert timer(incident, "immediate") == "running"
    say(incident, "complete_task", CompleteTask(by=BY, step="assess"))
    assert timer(incident, "immediate") == "met"


def test_a_false_alarm_cancels_what_waits_and_spares_what_acts() -> None:
    """A false alarm tells waiting changes to end and is refused while one is being applied."""
    incident = incident_in(Status.ACKNOWLEDGED)
    say(incident, "request_change", RequestChange(by=BY, step="rollback"))
    change = incident.state.changes[0]
    for acting in (ChangeStatus.APPLYING, ChangeStatus.VERIFYING):
        change.status = acting
        assert say(incident, "false_alarm", FalseAlarm(by=BY, reason="r")) == (
            f"changes are being applied: {change.workflow_id}"
        )
    change.status = ChangeStatus.AWAITING_APPROVAL
    assert say(incident, "false_alarm", FalseAlarm(by=BY, reason="r")) is None
    told = incident.effects[-1]
    assert isinstance(told, TellChanges)
    assert (told.signal, told.workflow_ids) == ("cancel", (change.workflow_id,))
    assert {running.state for running in incident.state.clocks} <= {"met", "cancelled"}


@pytest.mark.parametrize(("minute", "told"), [(3, False), (6, True)])
def test_a_false_alarm_is_taken_back_where_it_was_told(minute: int, told: bool) -> None:
    """Outsiders who have been told hear that it is over; nobody else hears anything."""
    incident = incident_in(Status.ACKNOWLEDGED, runbook=with_notices())
    incident.pass_time(T0 + minutes(minute))
    say(incident, "false_alarm", FalseAlarm(by=BY, reason="r"), T0 + minutes(minute))
    incident.pass_time(T0 + minutes(minute))
    sent = [effect.step for effect in incident.effects if isinstance(effect, SendNotice)]
    assert sent == (["investigating", "resolved"] if told else [])


@pytest.mark.parametrize("status", FINAL)
def test_nothing_happens_by_itself_after_the_end(status: Status) -> None:
    """However late an ended incident wakes up, nobody is paged, reminded or told, and no deadline is missed."""
    incident = incident_in(status)
    length, effects = len(incident.timeline.entries), list(incident.effects)
    incident.pass_time(T0 + minutes(100_000))
    assert clock.next_due(incident.state) is None
    assert len(incident.timeline.entries) == length
    assert incident.effects == effects


def test_notes_keep_the_update_clock_running() -> None:
    """Once acknowledged, a P0 owes an update every thirty minutes; a note is one."""
    incident = incident_in(Status.ACKNOWLEDGED)
    assert clock_of(incident, "update").due_at == T0 + minutes(31)
    say(incident, "note", Note(by=BY, text="looking"), T0 + minutes(20))
    assert clock_of(incident, "update").due_at == T0 + minutes(50)
    incident.pass_time(T0 + minutes(50))
    assert timer(incident, "update") == "breached"
