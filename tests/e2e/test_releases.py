"""A release in the middle of an outage: what has begun stays on its build, and moves only where that does no harm."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from domain.values import ids
from tests.e2e.account import Portal
from tests.e2e.conftest import folder_for, opened
from tests.e2e.house import Document, House
from tests.e2e.workers import Worker, running
from tests.forked import ROOT, forked
from tests.waiting import until
from workflows import builds

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-releases")]

CODE = ("domain", "workflows", "reporting", "activities", "worker", "starters", "sandbox", "runbooks")
LOOP = "        while True:\n            self._incident.pass_time(workflow.now())\n"
Start = Callable[[str, Path], Worker]


def released(folder: Path, name: str, before: str) -> Path:
    """A copy of the code whose incidents do something more before they do anything else."""
    root = folder / name
    for part in CODE:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "tests").mkdir()
    for module in ("__init__.py", "forks.py"):
        shutil.copy(ROOT / "tests" / module, root / "tests" / module)
    file = root / "workflows" / "incident.py"
    text = file.read_text()
    assert text.count(LOOP) == 1
    file.write_text(text.replace(LOOP, f"        {before}\n{LOOP}"))
    return root


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release that does not replay what ours has begun."""
    return released(tmp_path_factory.mktemp("other"), "other", "await workflow.sleep(0.001)")


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release that replays it: its code is another, but asks nothing else of Temporal."""
    return released(tmp_path_factory.mktemp("mended"), "mended", "self._mended = True")


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with folder_for("releases") as data_dir, opened(House(data_dir)) as one:
        yield one


@pytest.fixture
def start(house: House) -> Iterator[Start]:
    """Start a worker of a build from some code; all are gone when the test ends."""
    with ExitStack() as stack:
        yield lambda build, root: stack.enter_context(running(Worker(house, root, INCIDENT_BUILD_ID=build)))


def deploy(house: House, root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`incident deploy`, as the release in `root` has it."""
    [done] = forked(root).run(("deploy", *arguments, "--json"), house.environment, house.cwd)
    return done


def status(house: House, build: str) -> Document:
    found: list[Document] = json.loads(deploy(house, ROOT, "status").stdout)
    return next(one for one in found if one["build"] == build)


def promote(house: House, build: str, root: Path) -> None:
    done = deploy(house, root, "promote", build)
    assert (done.returncode, json.loads(done.stdout)["current"]) == (0, build), done.stderr


def histories(house: House, incident: str) -> dict[str, WorkflowHistory]:
    """The history of every run of an incident and of its changes, by run id."""
    client = house.asking.client

    async def read() -> dict[str, WorkflowHistory]:
        query = f"WorkflowId = '{incident}' OR WorkflowId STARTS_WITH '{incident}/'"
        return {
            str(one.run_id): await client.get_workflow_handle(one.id, run_id=one.run_id).fetch_history()
            async for one in client.list_workflows(query)
        }

    return house.asking.run(read())


def failed(event: HistoryEvent) -> bool:
    """Whether a workflow task failed; not that the machine was too busy for it to have its two seconds of CPU."""
    why = event.workflow_task_failed_event_attributes.failure.application_failure_info.type
    return event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED and why != "_DeadlockError"


def builds_of(house: House, incident: str) -> set[str]:
    """The builds that did the tasks of an incident and its changes, of which none may have failed."""
    found = set()
    for history in histories(house, incident).values():
        assert not [one for one in history.events if failed(one)], incident
        found |= {
            one.workflow_task_completed_event_attributes.deployment_version.build_id
            for one in history.events
            if one.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        }
    return found


def finish(house: House, incident: str) -> None:
    """Call an incident off."""
    house.run("false-alarm", incident, "--reason", "tried")
    house.ended(incident)


def test_a_release_amid_an_outage(house: House, start: Start, other: Path) -> None:
    """The outage finishes on its build, though its worker dies; what begins later runs on the next; then A may go."""
    a = start("A", ROOT)
    assert status(house, "A")["state"] == "current"
    assert status(house, "A")["not_polled"] == []
    portal = Portal(house)
    portal.break_()
    outage = house.start("Portal answers 503")
    house.run("ack", outage)
    digest = house.json("change", outage, "rollback")["plan"]["digest"]

    assert "no worker of build B polls incidents" in deploy(house, other, "promote", "B").stderr
    start("B", other)
    assert status(house, "B")["state"] == "new"
    promote(house, "B", other)
    later = house.start("Something else")
    house.until(later, "it is being looked at", lambda state: state["findings"])
    assert builds_of(house, later) == {"B"}

    refused = deploy(house, other, "move", outage)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"build B cannot go on with {outage}: [TMPRL1100] Nondeterminism error: ")
    assert refused.stderr.count("\n") == 1
    unlike = deploy(house, ROOT, "move", outage)
    assert (unlike.returncode, "this command is not of build B" in unlike.stderr) == (1, True)

    a.kill()
    a.end()
    alone = house.call("note", outage, "who hears me?")
    assert (alone.returncode, "do not answer" in alone.stderr) == (3, True)
    a.start()
    house.run("approve", outage, "rollback", "--digest", digest, "--as", "technical-manager")
    house.change(outage, "applied")
    assert status(house, "A")["state"] == "draining"
    assert status(house, "A")["incidents"] == [outage]
    finish(house, outage)
    assert builds_of(house, outage) == {"A"}
    until(lambda: status(house, "A")["can_be_stopped"], "nothing is left on A", 90)
    a.stop()
    finish(house, later)
    assert builds_of(house, later) == {"B"}


def test_what_replays_is_moved_with_its_changes(house: House, start: Start, mended: Path) -> None:
    """An incident and its open change go on with the next build, and to their ends there; a repeat moves nothing."""
    start("C", ROOT)
    promote(house, "C", ROOT)
    portal = Portal(house)
    portal.break_()
    outage = house.start("Portal answers 503", "--key", "alarm-7")
    house.run("ack", outage)
    digest = house.json("change", outage, "rollback")["plan"]["digest"]
    start("D", mended)
    promote(house, "D", mended)

    done = deploy(house, mended, "move", outage)
    moved = [outage, f"{outage}/rollback/1", ids.key_workflow_id("alarm-7")]
    assert json.loads(done.stdout) == {"incident": outage, "build": "D", "moved": moved}
    assert json.loads(deploy(house, mended, "move", outage).stdout)["moved"] == []
    assert status(house, "D")["incidents"] == [outage]
    until(lambda: status(house, "C")["can_be_stopped"], "nothing is left on C", 90)

    house.run("approve", outage, "rollback", "--digest", digest, "--as", "technical-manager")
    house.change(outage, "applied")
    finish(house, outage)
    assert builds_of(house, outage) == {"C", "D"}


def test_a_pinned_incident_keeps_its_build_through_new_runs(house: House, start: Start, mended: Path) -> None:
    """However often an incident carries on as a new run, and whatever is current by then."""
    start("E", ROOT)
    promote(house, "E", ROOT)
    model = house.start("Long")
    again = ids.incident_id(datetime.now(UTC), 7)
    [begun, *_] = next(iter(histories(house, model).values())).events
    [given] = begun.workflow_execution_started_event_attributes.input.payloads
    run: dict[str, Any] = json.loads(given.data)
    run["declaration"] |= {"incident_id": again, "history_limit": 60}

    async def declare() -> None:
        await house.asking.client.start_workflow("Incident", run, id=again, task_queue=ids.INCIDENTS_QUEUE)

    house.asking.run(declare())
    house.until(again, "it runs", lambda state: state["findings"])
    start("F", mended)
    promote(house, "F", mended)
    before = len(histories(house, again))
    for number in range(8):
        house.run("note", again, f"still at it, {number}")
    until(lambda: len(histories(house, again)) > before, "it carries on as a new run")
    for incident in (again, model):
        finish(house, incident)
        assert builds_of(house, incident) == {"E"}


def test_other_code_under_the_same_build_is_refused(house: House, start: Start, mended: Path) -> None:
    """A build is one code: a worker of another, or without a build where one is current, does not even poll."""
    start("G", ROOT)
    promote(house, "G", ROOT)
    for root, build, why in ((mended, "G", "give this one an id of its own"), (ROOT, "", "build G is current here")):
        [done] = forked(root).run(("worker",), house.environment | {"INCIDENT_BUILD_ID": build}, house.cwd)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("incident worker: INCIDENT_BUILD_ID: ")
        assert why in done.stderr


def test_what_began_without_a_build_is_tried_first(house: House, start: Start, other: Path, mended: Path) -> None:
    """The first build takes over what workers without one began; so it is replayed, and refused where it does not."""
    if house.asking.run(builds.current(house.asking.client)):
        house.asking.run(builds.promote(house.asking.client, ""))  # back to workers without a build
    worker = start("", ROOT)
    incident = house.start("Begun without a build")
    house.until(incident, "it is being looked at", lambda state: state["findings"])
    start("H", other)
    start("I", mended)
    assert status(house, "I")["state"] == "new"
    refused = deploy(house, other, "promote", "H")
    assert refused.stderr.startswith(f"build H cannot go on with {incident}: [TMPRL1100] Nondeterminism error: ")
    promote(house, "I", mended)
    worker.stop()
    house.run("note", incident, "still there?")
    assert status(house, "I")["incidents"] == [incident]
    assert "new incidents begin here" in house.run("deploy", "status")
    finish(house, incident)
    assert "I" in builds_of(house, incident)
