"""What a change leaves behind is asked to be taken back, and that ends by what is seen, whatever anybody says."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.config.runbook import TaskStep
from domain.model import commands
from domain.model.change_events import ChangeMoved
from domain.model.event_kinds import Happening
from domain.model.plan import Plan
from domain.model.records import ChangeStatus
from domain.rules import change_requests, lifecycle
from domain.rules.messages import mail_words
from domain.rules.next_steps import next_steps
from domain.values.status import Status
from tests.activities.report_worlds import Played
from tests.builders import runbook
from tests.upkeep import upkeep

LEFT = {"copy": "made"}


def kept(undone_by: str | None = None) -> Played:
    """Upkeep with a restore, and the removal of what it leaves: by its undo, or by another change."""
    steps: list[dict[str, Any]] = [
        {"id": "restore", "change": "test.scale", "title": "Restore"},
        {"id": "renew", "change": "test.scale", "title": "Renew"},
        {
            "id": "remove",
            "task": "Remove the copy",
            "owner": "devops-lead",
            "due": "1d",
            "until_undone": "restore",
            "undone_by": undone_by,
        },
        {"id": "sign-off", "task": "Sign off", "owner": "technical-manager"},
    ]
    phases = [{"id": "recovery", "title": "Recovery", "steps": steps}]
    return Played(upkeep(runbook=runbook(id="recovery", severities=["P3"], phases=phases), related={}))


def do(played: Played, name: str, command: Any) -> str | None:
    return played.incident.hear(name, command, played.now)


def end(played: Played, status: ChangeStatus, *, ours: bool = True, reversible: bool = True) -> None:
    """The newest change comes to its end."""
    record = played.incident.state.changes[-1]
    record.plan = Plan(
        action="test.scale",
        target="arn:aws:rds:r:1:db:x",
        summary="restore",
        before={"copy": "absent"},
        after=LEFT,
        impact="a copy",
        approval_class="A2",
        locks=("x",),
        reversible=reversible,
    )
    moved = ChangeMoved(
        workflow_id=record.workflow_id,
        step=record.step,
        title=record.title,
        status=status,
        reason="as it was seen",
        ours=ours,
    )
    happened = change_requests.progress(played.incident.state, record.workflow_id, [Happening(moved)])
    played.incident.take(happened, played.now)


def asked(played: Played) -> list[str]:
    return [task.step for task in played.incident.state.open_tasks()]


@pytest.mark.parametrize("status", [ChangeStatus.APPLIED, ChangeStatus.FAILED])
def test_what_is_left_is_asked_to_be_removed_each_day(status: ChangeStatus) -> None:
    """Applied, or failed with something done: a mail at once, and every day from when it is due."""
    played = kept()
    assert asked(played) == ["sign-off"]
    assert do(played, "request_change", commands.RequestChange(by="devops-lead", step="restore")) is None
    end(played, status)
    assert asked(played) == ["sign-off", "remove"]
    played.wait(timedelta(days=4))
    mailed = [entry.text for entry in played.entries if entry.kind == "reminder" and "Remove the copy" in entry.text]
    assert len(mailed) == 1 + 4
    assert any("incident undo" in step.command for step in next_steps(played.incident.state))
    mail = next(one for one in played.incident.state.mails if one.step == "remove")
    assert "incident undo" in mail_words(played.incident.state, mail).body


def test_nobody_can_say_that_it_is_done() -> None:
    """Neither done nor waived by hand; the incident stays open however long that takes."""
    played = kept()
    do(played, "request_change", commands.RequestChange(by="devops-lead", step="restore"))
    end(played, ChangeStatus.APPLIED)
    done = commands.CompleteTask(by="devops-lead", step="remove", note="it is gone")
    for name, command in (
        ("complete_task", done),
        ("waive_task", commands.WaiveTask(by="devops-lead", step="remove", reason="why not")),
    ):
        assert "ends once it is undone" in str(do(played, name, command))
    called_off = do(played, "false_alarm", commands.FalseAlarm(by="devops-lead", reason="never mind"))
    assert called_off == f"Remove the copy first: incident undo {played.incident.state.id} restore"
    do(played, "complete_task", commands.CompleteTask(by="technical-manager", step="sign-off"))
    played.incident.take(lifecycle.end_upkeep(played.incident.state, played.now), played.now)
    assert played.incident.state.status is Status.DECLARED


def test_it_ends_with_the_undo_and_is_asked_for_again_after_another_try() -> None:
    """An undo that failed ends nothing; one that was seen done does; a second restore is to be removed as well."""
    played = kept()
    do(played, "request_change", commands.RequestChange(by="devops-lead", step="restore"))
    end(played, ChangeStatus.APPLIED)
    for status in (ChangeStatus.FAILED, ChangeStatus.APPLIED):
        assert do(played, "undo", commands.Undo(by="devops-lead", step="restore")) is None
        end(played, status)
        assert asked(played) == (["sign-off", "remove"] if status is ChangeStatus.FAILED else ["sign-off"])
    assert played.incident.state.task("remove").note == "as it was seen"
    do(played, "request_change", commands.RequestChange(by="devops-lead", step="restore"))
    end(played, ChangeStatus.APPLIED)
    assert asked(played) == ["sign-off", "remove"]


def test_a_change_that_did_nothing_leaves_nothing() -> None:
    """Refused before it did anything: there is nothing to remove."""
    played = kept()
    do(played, "request_change", commands.RequestChange(by="devops-lead", step="restore"))
    end(played, ChangeStatus.FAILED, ours=False)
    assert asked(played) == ["sign-off"]


def test_upkeep_does_not_end_while_a_change_is_under_way() -> None:
    """All tasks are done, and somebody has just asked for another restore."""
    played = kept()
    do(played, "complete_task", commands.CompleteTask(by="technical-manager", step="sign-off"))
    do(played, "request_change", commands.RequestChange(by="devops-lead", step="restore"))
    played.incident.take(lifecycle.end_upkeep(played.incident.state, played.now), played.now)
    assert played.incident.state.status is Status.DECLARED


@pytest.mark.parametrize(
    ("status", "ours", "reversible"),
    [(ChangeStatus.ALREADY_DONE, False, True), (ChangeStatus.APPLIED, True, False)],
)
def test_what_nobody_could_undo_is_not_asked_for(status: ChangeStatus, *, ours: bool, reversible: bool) -> None:
    """Done by somebody else already, or without a way back: a task for it would never end, nor the incident."""
    played = kept()
    do(played, "request_change", commands.RequestChange(by="devops-lead", step="restore"))
    end(played, status, ours=ours, reversible=reversible)
    assert asked(played) == ["sign-off"]
    assert do(played, "undo", commands.Undo(by="devops-lead", step="restore"))
    do(played, "complete_task", commands.CompleteTask(by="technical-manager", step="sign-off"))
    played.incident.take(lifecycle.end_upkeep(played.incident.state, played.now), played.now)
    assert played.incident.state.status is Status.CLOSED


def test_what_cannot_be_undone_is_taken_back_by_another_change() -> None:
    """One that failed, or was done in part, ends nothing; the next one that leaves something asks for it again."""
    played = kept(undone_by="renew")
    assert do(played, "request_change", commands.RequestChange(by="devops-lead", step="restore")) is None
    end(played, ChangeStatus.APPLIED, reversible=False)
    assert asked(played) == ["sign-off", "remove"]
    done = commands.CompleteTask(by="devops-lead", step="remove", note="it is gone")
    assert str(do(played, "complete_task", done)).endswith(f"incident change {played.incident.state.id} renew")
    assert any("incident change" in step.command for step in next_steps(played.incident.state))
    for status in (ChangeStatus.FAILED, ChangeStatus.PARTLY_APPLIED, ChangeStatus.APPLIED):
        assert do(played, "request_change", commands.RequestChange(by="devops-lead", step="renew")) is None
        end(played, status)
        assert asked(played) == (["sign-off"] if status is ChangeStatus.APPLIED else ["sign-off", "remove"])
    do(played, "request_change", commands.RequestChange(by="devops-lead", step="restore"))
    end(played, ChangeStatus.APPLIED)
    assert asked(played) == ["sign-off", "remove"]


def test_a_change_asked_for_before_takes_nothing_back() -> None:
    """It was there first, and saw nothing of what came after it."""
    played = kept(undone_by="renew")
    for step in ("renew", "restore"):
        do(played, "request_change", commands.RequestChange(by="devops-lead", step=step))
        end(played, ChangeStatus.APPLIED)
    assert asked(played) == ["sign-off", "remove"]


def test_what_takes_back_needs_something_to_take_back() -> None:
    with pytest.raises(ValidationError, match="write until_undone"):
        TaskStep(id="remove", task="Remove it", owner="devops-lead", undone_by="renew")
