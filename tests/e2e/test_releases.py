"""A release in the middle of an outage: what has begun stays on its build, and moves only where that does no harm."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from domain.model.scheduled import ScheduledRun
from domain.values import ids
from starters.client import connection, releases
from starters.errors import RefusedError
from tests.builders import incident_id
from tests.e2e.account import Portal
from tests.e2e.conftest import folder_for, opened
from tests.e2e.house import House
from tests.e2e.releasing import builds_of, deploy, finish, histories, promote, released, status
from tests.e2e.workers import Worker, running
from tests.forked import ROOT, forked
from tests.waiting import until
from workflows import builds

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-releases")]

Start = Callable[[str, Path], Worker]


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
    moved = [outage, f"{outage}/rollback/1", ids.key_workflow_id("sandbox", "alarm-7")]
    assert json.loads(done.stdout) == {"incident": outage, "build": "D", "moved": moved}
    assert json.loads(deploy(house, mended, "move", outage).stdout)["moved"] == []
    assert status(house, "D")["incidents"] == [outage]
    until(lambda: status(house, "C")["can_be_stopped"], "nothing is left on C", 90)

    house.run("approve", outage, "rollback", "--digest", digest, "--as", "technical-manager")
    house.change(outage, "applied")
    finish(house, outage)
    assert builds_of(house, outage) == {"C", "D"}


@pytest.mark.long
def test_a_run_of_a_schedule_is_moved_with_what_it_declared(house: House, start: Start, mended: Path) -> None:
    """It waits for the end of its incident: left where it is, it would hold its build."""
    start("L", ROOT)
    promote(house, "L", ROOT)
    environment = house.variables["INCIDENT_ENVIRONMENT"]
    run = ScheduledRun(schedule="works", environment=environment, declares="maintenance")
    name = f"{ids.scheduled_workflow_id(environment, 'works')}-by-hand"

    async def begin() -> None:
        await house.asking.client.start_workflow("Scheduled", run, id=name, task_queue=ids.task_queue("sandbox"))

    house.asking.run(begin())
    [incident] = until(lambda: status(house, "L")["incidents"], "it declares an incident")
    start("M", mended)
    promote(house, "M", mended)
    moved = json.loads(deploy(house, mended, "move", incident).stdout)["moved"]
    assert {incident, name} <= set(moved)
    assert status(house, "L")["open"] == 0
    finish(house, incident)
    assert builds_of(house, incident) == {"L", "M"}


@pytest.mark.long
def test_a_pinned_incident_keeps_its_build_through_new_runs(house: House, start: Start, mended: Path) -> None:
    """However often an incident carries on as a new run, and whatever is current by then."""
    start("E", ROOT)
    promote(house, "E", ROOT)
    model = house.start("Long")
    again = incident_id(datetime.now(UTC))
    listed = until(lambda: list(histories(house, model).values()), f"the server lists {model}")
    [begun, *_] = listed[0].events
    [given] = begun.workflow_execution_started_event_attributes.input.payloads
    run: dict[str, Any] = json.loads(given.data)
    run["declaration"] |= {"incident_id": again, "history_limit": 60}

    async def declare() -> None:
        await house.asking.client.start_workflow("Incident", run, id=again, task_queue=ids.task_queue("sandbox"))

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


@pytest.mark.long
def test_other_code_under_the_same_build_is_refused(house: House, start: Start, mended: Path) -> None:
    """A build is one code: a worker of another, or without a build where one is current, does not even poll."""
    start("G", ROOT)
    promote(house, "G", ROOT)
    for root, build, why in ((mended, "G", "give this one an id of its own"), (ROOT, "", "build G is current here")):
        [done] = forked(root).run(("worker",), house.environment | {"INCIDENT_BUILD_ID": build}, house.cwd)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("incident worker: INCIDENT_BUILD_ID: ")
        assert why in done.stderr


@pytest.mark.long
def test_what_began_without_a_build_is_tried_first(house: House, start: Start, other: Path, mended: Path) -> None:
    """The first build takes over what workers without one began; so it is replayed, and refused where it does not."""
    if house.asking.run(builds.current(house.asking.client, "sandbox")):
        house.asking.run(builds.promote(house.asking.client, "sandbox", ""))  # back to workers without a build
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


@pytest.mark.long
def test_what_does_not_replay_any_more_goes_back(
    house: House, start: Start, mended: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came in between and does not replay leaves all where it was; and an old build can come back."""
    start("J", mended)
    promote(house, "J", mended)
    incident, client = house.start("Not to be moved"), house.asking.client
    house.until(incident, "it is being looked at", lambda state: state["findings"])
    next_one = start("K", ROOT)
    promote(house, "K", ROOT)
    next_one.stop()  # so that it does none of its tasks meanwhile; the server shows its polls for a while
    tried = []

    async def replayed(*_: object) -> None:
        tried.append(status(house, "K")["incidents"])
        if len(tried) == 2:
            raise RefusedError("something came in between")

    monkeypatch.setattr(releases, "refuse_unless_replayed", replayed)
    with pytest.raises(RefusedError, match="in between"):
        house.asking.run(releases.move(client, incident))
    assert tried == [[], [incident]]
    house.run("note", incident, "where am I?")

    async def polled(_: Client, queue: str) -> builds.Polled:
        return builds.Polled("K", {"K": {"1@worker"}})

    monkeypatch.setattr(builds, "polled", polled)
    assert str(house.asking.run(connection.nobody_answers(client, incident))).startswith(
        "no worker of build J is polling"
    )
    promote(house, "J", mended)
    back = house.start("Begun on the build from before")
    for one in (incident, back):
        finish(house, one)
        assert builds_of(house, one) == {"J"}
