"""Another organisation writes YAML and no Python: three people, their own roles, timings, approvals and duties."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.e2e.account import Portal
from tests.e2e.chain import assert_whole
from tests.e2e.conftest import opened
from tests.e2e.house import Document, House
from tests.e2e.wire import Wire, wire
from tests.e2e.workers import Worker, running
from tests.organisations.folders import HARBOUR
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-apart")]

TIMETABLE = "harbour-timetable"
UPDATE = "ecs.UpdateService"
SPEED = 60
POLICY_MINUTE = timedelta(minutes=1) / SPEED


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("harbour") / "sandbox")
    with opened(house, "--runbooks", str(HARBOUR), "--environment", "docks"):
        yield house


@pytest.fixture(scope="module")
def aws(harbour: House) -> Iterator[Wire]:
    with wire(harbour.variables["AWS_ENDPOINT_URL"]) as one:
        yield one


@pytest.fixture(scope="module")
def worker(harbour: House, aws: Wire) -> Iterator[Worker]:
    with running(Worker(harbour, AWS_ENDPOINT_URL=aws.url)) as one:
        yield one


def _declared(house: House, title: str, *arguments: str) -> str:
    incident: str = house.json("start", "timetable-down", "--severity", "P1", "--title", title, *arguments)[
        "incident_id"
    ]
    return incident


def _approved(house: House, incident: str, step: str, digest: str, by: str, number: int = 1) -> Document:
    house.run("approve", incident, step, "--digest", digest, "--as", by)
    return house.change(incident, "applied", number=number, step=step)


def test_an_incident_of_theirs_goes_from_declaration_to_closed(harbour: House, aws: Wire, worker: Worker) -> None:
    """A service without load balancer is rolled back once though the worker dies on the way; all of it is theirs."""
    portal = Portal(harbour, cluster="harbour", name=TIMETABLE)
    fault, deployed = portal.break_(), portal.deployed()
    incident = _declared(harbour, "No times at any berth")
    harbour.findings(incident, 3)
    harbour.run("ack", incident, "--as", "west-watch")
    digest = harbour.json("change", incident, "back")["plan"]["digest"]
    aws.trap(UPDATE, "after", worker.kill, cut=True)
    harbour.run("approve", incident, "back", "--digest", digest, "--as", "master")
    worker.end()
    worker.start()
    back = harbour.change(incident, "applied", step="back")
    assert [(vote["by"], vote["role"]) for vote in back["approvals"]] == [("master", "harbour-master")]
    assert portal.deployed() == [*deployed, fault.good]
    assert harbour.healthy()
    digest = harbour.json("change", incident, "grow", "--set", "service=booking")["plan"]["digest"]
    grown = _approved(harbour, incident, "grow", digest, "west-watch")
    assert (grown["class"], grown["approvals"][0]["role"]) == ("A1", "watchkeeper")
    undo = harbour.json("undo", incident, "grow", "--as", "west-watch")["plan"]["digest"]
    _approved(harbour, incident, "grow", undo, "east-watch", number=2)
    harbour.change(incident, "undone", step="grow")
    _end(harbour, incident)
    state, entries, delivered = harbour.ended(incident), harbour.timeline(incident), harbour.outbox(incident)
    assert (state["status"], state["commander"]) == ("closed", "west-watch")
    assert [(one["step"], one["state"]) for one in state["obligations"]] == [("authority", "discharged")]
    assert_whole(entries)
    assert {one["channel"] for one in delivered} == {"sms", "email"}
    report = harbour.run("report", incident)
    assert "Europe/Oslo" in report
    told = repr((state, entries, delivered, report)).lower()
    for theirs in ("axis", "ap-southeast-2", "technical-manager", "devops-lead", "privacy act"):
        assert theirs not in told


def _end(house: House, incident: str) -> None:
    """Boats had stopped, so the Port Authority is told; then there is nothing left to do."""
    house.run("facts", incident, "--record", "stopped_at")
    house.run("mitigated", incident, "--summary", "rolled back")
    house.run("obligation", "discharge", incident, "authority", "--reference", "call 7", "--as", "master")
    house.run("done", incident, "write-down", "--as", "master")
    house.run("resolve", incident, "--summary", "steady")
    house.run("close", incident)


def test_they_are_paged_by_their_own_timings(harbour: House, worker: Worker) -> None:
    """The watch goes by turns every three minutes, the master beside it at once; it ends when one acknowledges."""
    incident = _declared(harbour, "Nobody on the bridge", "--speed", str(SPEED))
    harbour.until(incident, "the watch is paged a third time", lambda state: len(state["pages"]) >= 8)
    harbour.run("ack", incident, "--as", "master")
    harbour.run("false-alarm", incident, "--reason", "seen enough")
    state = harbour.ended(incident)
    began = datetime.fromisoformat(state["declared_at"])
    at = Counter(
        (round((datetime.fromisoformat(page["at"]) - began) / POLICY_MINUTE), page["role"]) for page in state["pages"]
    )
    assert at[0, "east"] == at[0, "harbour-master"] == 1
    assert {role for minute, role in at if minute in {3, 4}} == {"east", "west", "harbour-master"}


def test_what_they_lack_is_said(harbour: House, worker: Worker) -> None:
    """Without evidence bucket nothing is signed, and without status page nothing is public: said, and no failure."""
    incident = _declared(harbour, "Nothing to sign")
    harbour.run("false-alarm", incident, "--reason", "a drill of our own")
    report = until(lambda: harbour.state(incident).get("report"), "the report is dealt with")
    assert "no evidence bucket" in report["reason"]
    done = harbour.call("audit", "verify", incident)
    assert done.returncode == 1
    assert "environment docks names no evidence bucket" in done.stderr
