"""Somebody wants a P0 to be silent: within minutes people are paged that nobody carries it on, and about nothing else.

The real server and the hands of a real worker; what time it is for the watcher is the test's to say.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest

from activities.channels.paging import Pager
from activities.watching.watcher import Watcher
from domain.model.silence import Found
from starters.files.organisation_folder import load_environment, load_organisation
from tests.e2e.house import House
from tests.e2e.workers import Worker
from tests.house import FixedHouse
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

DUE = timedelta(minutes=5)
NOTICED = DUE + timedelta(minutes=2)
LEADS = ["development-lead", "devops-lead", "security-lead", "technical-manager"]


class Account:
    """The sandbox's AWS as the hands know it."""

    def __init__(self, house: House) -> None:
        self._house = house

    def client(self, service: str) -> Any:
        return self._house.aws(service)

    def once(self, service: str) -> Any:
        return self._house.aws(service)


def watcher(house: House, at: datetime) -> Watcher:
    """One that stands outside of every worker, at this instant."""
    folder, account = Path(house.variables["INCIDENT_RUNBOOKS"]), Account(house)
    files = FixedHouse(load_environment(folder, house.variables["INCIDENT_ENVIRONMENT"]), load_organisation(folder))
    return Watcher(account, files, Pager(account), lambda _: at)


def look(house: House, incident: str, at: datetime) -> list[Found]:
    """What it finds of one incident; there are others in the sandbox."""
    return [one for one in watcher(house, at).look() if one.incident == incident]


def declared(house: House, title: str) -> str:
    """A P0 whose first pages have gone out, all of it on record."""
    incident = house.start(title)
    house.until(
        incident,
        "its pages are out and on record",
        lambda state: len(state["pages"]) == len(LEADS) and state["timeline"]["written"] == state["timeline"]["length"],
    )
    until(lambda: len(house.outbox(incident)) >= len(LEADS), "the pages are out")
    return incident


def begun(house: House, incident: str) -> datetime:
    return datetime.fromisoformat(house.state(incident)["declared_at"])


def told(house: House, incident: str) -> list[str]:
    """Who was paged that nobody carries it on, and how to, in order of names."""
    found = [one for one in house.outbox(incident) if "nobody carries it on" in one["subject"]]
    assert all(f"incident restore {incident}" in one["body"] for one in found)
    return sorted(one["role"] for one in found)


def terminate(house: House, incident: str) -> None:
    house.asking.run(house.asking.client.get_workflow_handle(incident).terminate("silence"))


def delete(house: House, incident: str) -> None:
    client = house.asking.client
    asked = DeleteWorkflowExecutionRequest(
        namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id=incident)
    )
    house.asking.run(client.workflow_service.delete_workflow_execution(asked))
    until(lambda: house.asking.query(incident, "state") is None, "it is gone")


@pytest.mark.parametrize("silence", [terminate, delete])
def test_a_silent_incident_is_paged(house: House, worker: Worker, silence: Callable[[House, str], None]) -> None:
    """Its four are told once, at seven minutes, how to go on; the page of five minutes never came."""
    incident = declared(house, f"Somebody wants silence: {silence.__name__}")
    at = begun(house, incident)
    before = house.outbox(incident)
    silence(house, incident)
    assert look(house, incident, at + NOTICED - timedelta(seconds=1)) == []
    for _ in range(2):  # another that looks finds that they are paged
        (found,) = look(house, incident, at + NOTICED)
        assert (found.what, found.due_at) == ("page again", at + DUE)
    assert told(house, incident) == LEADS
    assert len(house.outbox(incident)) == len(before) + len(LEADS)
    house.run("restore", incident)
    house.until(incident, "it goes on", lambda state: state["status"] == "declared")
    house.asking.update(incident, "false_alarm", by="devops-lead", reason="seen enough")


def test_a_cancelled_incident_goes_on(house: House, worker: Worker) -> None:
    """The cancel is refused on record, and the Security Lead alone is paged for it; nobody has to restore anything."""
    incident = declared(house, "Somebody cancels it")
    before = len(house.outbox(incident))
    house.asking.run(house.asking.client.get_workflow_handle(incident).cancel())
    until(lambda: len(house.outbox(incident)) > before, "the page about it is out")
    (page,) = house.outbox(incident)[before:]
    assert page["role"] == "security-lead"
    assert page["subject"].endswith(f"{incident}: somebody tampers: the incident was to be cancelled")
    (refused,) = [one for one in house.timeline(incident) if one["kind"] == "refused"]
    assert (refused["data"]["command"], refused["data"]["outside"]) == ("cancel", True)
    house.asking.update(incident, "acknowledge", by="devops-lead")
    house.asking.update(incident, "false_alarm", by="devops-lead", reason="seen enough")
    house.ended(incident)
    assert len(house.outbox(incident)) == before + 1


def test_an_incident_that_was_reset_pages_on(house: House, worker: Worker) -> None:
    """It goes on from where it was reset to, and pages in time: nothing is missed, and the watcher pages nobody."""
    incident = house.start("Somebody resets it", "--speed", "30")
    house.until(incident, "it is on record", lambda state: state["timeline"]["written"] > len(LEADS))
    client = house.asking.client
    asked = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=incident),
        reason="silence",
        workflow_task_finish_event_id=4,
        request_id=str(uuid4()),
    )
    house.asking.run(client.workflow_service.reset_workflow_execution(asked))
    house.until(incident, "it pages on", lambda state: len(state["pages"]) >= 3 * len(LEADS))
    assert look(house, incident, datetime.now(UTC)) == []
    assert told(house, incident) == []
    house.asking.update(incident, "false_alarm", by="devops-lead", reason="seen enough")


@pytest.mark.long
def test_the_workers_watch_and_restore(house: House, worker: Worker, folder: Path) -> None:
    """Nobody has to look: a worker of `notify` pages, and goes on with it where the environment says so; once."""
    places = folder / "environments" / f"{house.variables['INCIDENT_ENVIRONMENT']}.yaml"
    places.write_text(f"{places.read_text()}\nrestore_silent: true\n")
    incident = house.start("Silence at once", "--speed", "8")  # the cto comes at 112 seconds
    house.until(incident, "it is on record", lambda state: state["timeline"]["written"] > len(LEADS))
    terminate(house, incident)
    state = house.until(incident, "it goes on by itself", lambda state: len(state["pages"]) > len(LEADS), 150)
    assert told(house, incident) == LEADS
    assert state["status"] == "declared"
    (restored,) = [one for one in house.timeline(incident) if one["kind"] == "restored"]
    assert "The watcher had paged" in restored["text"]
    house.asking.update(incident, "false_alarm", by="devops-lead", reason="seen enough")
