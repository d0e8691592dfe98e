"""What really happened, a killed worker and all, is run again from the ledger: nothing differs, until the files do."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.account import PROBES, Portal
from tests.e2e.conftest import folder_for, opened
from tests.e2e.house import House
from tests.e2e.workers import Worker, running
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e-apart")]

SPEED = 60
AWAY_SECONDS = 7
"""Seven policy minutes: a round of pages is missed."""


@pytest.fixture
def apart() -> Iterator[House]:
    with folder_for("rehearsed") as data_dir, opened(House(data_dir)) as one:
        yield one


def _outage(house: House, worker: Worker) -> str:
    """A bad deployment, paged for with a worker that is away on the way, rolled back, dealt with to the end."""
    Portal(house).break_()
    incident = house.start("No worker on the way", "--speed", str(SPEED))
    house.findings(incident, PROBES)
    house.until(incident, "everybody is paged again", lambda state: len(state["pages"]) >= 8)
    worker.kill()
    time.sleep(AWAY_SECONDS)  # nothing is to be waited for: that is what it is about
    worker.start()
    house.until(incident, "pages go on", lambda state: len(state["pages"]) >= 12)
    house.run("ack", incident)
    house.run("note", incident, "it was the release")
    digest = house.json("change", incident, "rollback")["plan"]["digest"]
    house.run("approve", incident, "rollback", "--digest", digest, "--as", "technical-manager")
    house.change(incident, "applied")
    house.run("mitigated", incident, "--summary", "rolled back")
    house.run("severity", incident, "P1", "--reason", "only some are concerned", "--as", "cto")
    house.run("resolve", incident, "--summary", "steady")
    house.run("reopen", incident, "--reason", "slow again")
    house.run("ack", incident, "--as", "cto")
    house.run("mitigated", incident, "--summary", "it was a backup")
    house.run("resolve", incident, "--summary", "steady")
    _end(house, incident)
    return incident


def _end(house: House, incident: str) -> None:
    for task in house.show(incident)["tasks"]:
        if task["required"] and task["status"] == "open":
            house.run("done", incident, task["step"])
    house.run("close", incident)
    house.ended(incident)


def _breach(house: House) -> str:
    """A breach with its duties and its evidence, which nobody acknowledges; it stays open."""
    title = ("--title", "Studies are downloaded", "--phi", "--speed", str(SPEED))
    incident: str = house.json("start", "data-breach", "--severity", "P0", *title)["incident_id"]
    house.until(incident, "the chain is paged", lambda state: {page["role"] for page in state["pages"]} >= {"ceo"})
    house.run("facts", incident, "--record", "belief_at", "--as", "legal-counsel")
    house.until(incident, "evidence is preserved", lambda state: all(one["ended_at"] for one in state["changes"]), 60)
    return incident


def test_what_happened_differs_in_nothing_until_the_files_do(apart: House, tmp_path: Path) -> None:
    """Exit status 0 and no difference; then a folder with other values, each told with its line, and exit status 1."""
    with running(Worker(apart)) as worker:
        worker.start()
        outage, breach = _outage(apart, worker), _breach(apart)
        until(lambda: _recorded(apart, breach), "the record is written")
        done = apart.call("rehearse", "--json")
        told = json.loads(done.stdout)
        assert (told["incidents"], told["unknown"]) == (3, [])  # and the review of the runbook, which closing opens
        assert (told["differences"], done.returncode) == ([], 0)
        assert {one["what"] for one in told["late"] if one["incident"] == outage} >= {"page again"}
        folder = Path(shutil.copytree(apart.variables["INCIDENT_RUNBOOKS"], tmp_path / "changed"))
        text = (folder / "organisation.yaml").read_text(encoding="utf-8")
        line = text[: text.index("    repage: 5m")].count("\n") + 1
        altered = text.replace("repage: 5m", "repage: 4m", 1)
        (folder / "organisation.yaml").write_text(altered, encoding="utf-8")
        done = apart.call("rehearse", "--runbooks", str(folder), "--json")
        assert done.returncode == 1, done.stderr
        found = json.loads(done.stdout)["differences"]
        assert {one["because"] for one in found} == {f"organisation.yaml:{line} severities.P0.repage: 4m instead of 5m"}
        assert {one["incident"] for one in found} == {outage, breach}
        assert "not meant" in done.stderr
        worker.stop()


def _recorded(house: House, incident: str) -> bool:
    timeline = house.state(incident)["timeline"]
    return bool(timeline["written"] == timeline["length"])
