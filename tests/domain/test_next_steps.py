"""What people are to type next, as the terminal and Temporal's UI show it."""

from typing import Any

import pytest

from domain.model.change_events import ApprovalAsked, ChangeEvent, ChangeMoved
from domain.model.commands import RequestChange
from domain.model.event_kinds import Happening
from domain.model.finding import FindingStatus
from domain.model.records import ChangeStatus
from domain.model.work_events import Found
from domain.rules import change_requests
from domain.rules.document import document
from domain.rules.live import LiveIncident
from domain.rules.next_steps import next_steps
from domain.values.status import Status
from tests.builders import T0, minutes
from tests.domain.speaking import incident_in, say

NAME = "inc-20261123-7f3k"
SUSPECT = Found(step="deployments", title="Deployments", action="a", status=FindingStatus.SUSPECT, summary="just now")


def suspicious(status: Status) -> LiveIncident:
    """An incident in which a probe speaks for the rollback."""
    incident = incident_in(status)
    if not incident.state.ended:
        incident.take([Happening(SUSPECT)], T0 + minutes(8))
    return incident


def commands(incident: LiveIncident) -> list[str]:
    return [step.command.removeprefix("incident ").replace(f"{NAME} ", "") for step in next_steps(incident.state)]


def hear(incident: LiveIncident, kind: type[ChangeEvent], **fields: Any) -> None:
    change = incident.state.changes[-1]
    event = kind(step=change.step, workflow_id=change.workflow_id, title="Roll back", **fields)
    happened = [Happening(event, at=T0 + minutes(9))]
    incident.take(change_requests.progress(incident.state, change.workflow_id, happened), T0 + minutes(9))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.DECLARED, ["ack " + NAME, "change rollback"]),
        (Status.ACKNOWLEDGED, ["change rollback", "mitigated --summary '…'"]),
        (Status.MITIGATED, ["resolve --summary '…'"]),
        (Status.RESOLVED, ["done assess", "done review"]),
        (Status.CLOSED, []),
        (Status.FALSE_ALARM, []),
    ],
)
def test_every_status_has_its_next_command(status: Status, expected: list[str]) -> None:
    """Exactly these commands are advised, the most pressing first."""
    assert commands(suspicious(status)) == expected


def test_an_incident_with_nothing_left_is_to_be_closed() -> None:
    incident = incident_in(Status.RESOLVED)
    for task in incident.state.tasks:
        task.status = "done"
    assert commands(incident) == ["close " + NAME]


def waiting(incident: LiveIncident) -> None:
    """Somebody takes the suggestion up, and the change waits for votes until minute 19."""
    say(incident, "request_change", RequestChange(by="devops-lead", step="rollback"))
    hear(incident, ApprovalAsked, eligible=["technical-manager"], voters=[], until=T0 + minutes(19))


def test_a_vote_is_asked_of_those_who_may() -> None:
    incident = suspicious(Status.ACKNOWLEDGED)
    waiting(incident)
    assert commands(incident) == ["approve rollback", "mitigated --summary '…'"]
    assert next_steps(incident.state)[0].who == "technical-manager"


@pytest.mark.parametrize(
    ("status", "again"), [(ChangeStatus.APPLYING, False), (ChangeStatus.REJECTED, False), (ChangeStatus.FAILED, True)]
)
def test_a_suggestion_ends_when_somebody_took_it_up(status: ChangeStatus, again: bool) -> None:
    """A change under way or turned down is not suggested again; one that failed is."""
    incident = suspicious(Status.ACKNOWLEDGED)
    waiting(incident)
    hear(incident, ChangeMoved, status=status)
    assert ("change rollback" in commands(incident)) is again


def test_the_end_of_a_vote_is_due_in_its_place() -> None:
    """What is due stands in order of time, running votes included, settled ones left out."""
    incident = suspicious(Status.ACKNOWLEDGED)
    waiting(incident)
    due = [entry["what"] for entry in document(incident.state)["due"]]
    assert due[:3] == ["assess overdue", "immediate overdue", "rollback: its voters' time is up"]
    hear(incident, ChangeMoved, status=ChangeStatus.APPLYING)
    assert "rollback: its voters' time is up" not in [entry["what"] for entry in document(incident.state)["due"]]
