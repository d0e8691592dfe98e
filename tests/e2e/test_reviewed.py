"""Upkeep of the record in a whole sandbox, its worker killed on the way: a review after an incident, and the pack."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest

from domain.model.scheduled import ScheduledRun
from domain.values.ids import task_queue
from tests.e2e.house import House
from tests.e2e.record import BUCKET
from tests.e2e.wire import Wire
from tests.e2e.workers import Worker
from tests.proving import proved
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e")]

TYPE = "performance"
"""What no other test of this sandbox closes: of one type there is one review at a time."""


def closed(house: House) -> str:
    """An incident that is over."""
    incident: str = house.json("start", TYPE, "--severity", "P1", "--title", "Reviewed afterwards")["incident_id"]
    house.run("ack", incident)
    house.run("mitigated", incident, "--summary", "rolled back")
    house.run("resolve", incident, "--summary", "steady")
    for task in house.state(incident)["tasks"]:
        if task["required"] and task["status"] == "open":
            house.asking.update(incident, "complete_task", by="devops-lead", step=task["step"])
    house.run("close", incident)
    return incident


def link_of(house: House, incident: str) -> str:
    """What an incident has opened, once it is there."""
    state = house.until(incident, "its review opens", lambda state: state["links"] and state["links"][0]["incident"])
    opened: str = state["links"][0]["incident"]
    return opened


def packs(house: House) -> list[str]:
    found = house.aws("s3").list_object_versions(Bucket=BUCKET, Prefix="reports/packs/")
    return sorted(one["Key"] for one in found.get("Versions", []))


def scheduled(house: House) -> str:
    """A run of the pack's schedule, as Temporal starts it; gives the incident that it has declared."""
    run = ScheduledRun(schedule="compliance-pack", environment="sandbox", declares="compliance-pack")
    name = f"scheduled/sandbox/compliance-pack-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    asking = house.asking
    handle: Any = asking.run(asking.client.start_workflow("Scheduled", run, id=name, task_queue=task_queue("sandbox")))

    def declared() -> str | None:
        described = asking.run(handle.describe())
        children = described.raw_description.pending_children
        return next((one.workflow_id for one in children if one.workflow_type_name == "Incident" and one.run_id), None)

    return until(declared, "the run declares its incident")


def test_a_review_and_a_pack_survive_their_worker(
    house: House, aws: Wire, worker: Worker, folder: Path, tmp_path: Path
) -> None:
    """The worker dies when the pack is signed, and nobody but S3 knows: the next one finds it so, and it is once there.

    The pack of this quarter then holds the incident and its review, and proves itself without us.
    """
    incident = closed(house)
    review = link_of(house, incident)
    (looked,) = house.findings(review, 1).values()
    assert looked["facts"]["incidents"][-1:] == [incident]
    house.run("done", review, f"review-{TYPE}", "--note", "fit for use", "--as", "development-lead")
    assert house.ended(review)["status"] == "closed"
    said = house.json("runbook", "approve", TYPE, INCIDENT_RUNBOOKS=str(folder))
    assert (said["incident"], said["version"], said["changed"]) == (review, "1.1", True)
    assert f"reviewed: {said['reviewed']}" in (folder / f"{TYPE}.yaml").read_text()

    aws.trap("s3.PUT /*/reports/packs/*", "after", worker.kill, cut=True)
    made = scheduled(house)
    worker.end()
    assert [name.rpartition(".")[2] for name in packs(house)] == ["json"]
    worker.start()
    state = house.until(made, "the pack is made", lambda state: len(state["findings"]) == 1, seconds=120)
    (found,) = state["findings"]
    assert found["status"] == "ok", found["summary"]
    assert packs(house) == sorted([found["evidence"], found["evidence"].replace(".zip", ".json")])
    by_hand = tmp_path / "by-hand.zip"
    house.run("audit", "pack", "--period", found["facts"]["period"], "-o", str(by_hand))
    kept = house.aws("s3").get_object(Bucket=BUCKET, Key=found["evidence"])["Body"].read()
    assert by_hand.read_bytes() == kept
    house.run("done", made, "hand-over", "--as", "compliance-officer")
    assert house.ended(made)["status"] == "closed"

    today = datetime.now(ZoneInfo("Australia/Sydney"))
    quarter = tmp_path / "quarter.zip"
    house.call("audit", "pack", "--period", f"{today.year}-Q{(today.month + 2) // 3}", "-o", str(quarter))
    with ZipFile(quarter) as zipped:
        zipped.extractall(tmp_path / "pack")
    rows = {row["incident"]: row for row in json.loads((tmp_path / "pack" / "incidents.json").read_text())}
    assert [rows[name]["mode"] for name in (incident, review, made)] == ["live", "upkeep", "upkeep"]
    assert [rows[name]["flaw"] for name in (incident, review, made)] == [None] * 3
    checked = proved(tmp_path / "pack")
    assert not [name for name in (incident, review, made) if name in checked.stderr], checked.stderr
