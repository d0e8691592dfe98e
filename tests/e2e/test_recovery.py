"""A recovery test on a whole sandbox: by a schedule, approved, restored, measured, removed, closed."""

import asyncio
from typing import Any

import pytest

from domain.config.recovery import COPIES
from tests.e2e.house import Document, House
from tests.e2e.test_upkeep import begun
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(400)]

STEP, SOURCE = "restore-primary", "axis-imaging-primary-production"


def asked(house: House, word: str, incident: str) -> None:
    """Ask for the restore, or for its undo, and have it approved as it is shown."""
    plan = house.json(word, incident, STEP, "--as", "devops-lead")
    house.run("approve", incident, STEP, "--digest", plan["plan"]["digest"], "--as", "technical-manager")


def copies(house: House) -> list[str]:
    """What AWS has of restored copies, instances and snapshots, from outside."""
    rds: Any = house.aws("rds")
    names = [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]]
    names += [one["DBSnapshotIdentifier"] for one in rds.describe_db_snapshots()["DBSnapshots"]]
    return [name for name in names if name.startswith(COPIES)]


def ended(house: House, incident: str, status: str, number: int = 1) -> Document:
    """A change of the step once it has come to this; RDS is looked at every twenty seconds."""
    what = f"change {number} of {incident} is {status}"
    state = house.until(
        incident,
        what,
        lambda state: [one for one in state["changes"] if (one["generation"], one["status"]) == (number, status)],
        seconds=150,
    )
    return next(one for one in state["changes"] if one["generation"] == number)


def fresh(house: House, name: str) -> None:
    """Let somebody take a snapshot of the primary now, which is within any recovery point."""
    rds: Any = house.aws("rds")
    rds.create_db_snapshot(DBInstanceIdentifier=SOURCE, DBSnapshotIdentifier=name)

    def there() -> bool:
        (found,) = rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"]
        return bool(found["Status"] == "available")

    until(there, "the snapshot is there")


def test_a_recovery_test_is_measured_and_leaves_nothing(house: House, worker: Worker) -> None:
    """The worker is killed while it restores; the copy is read all the same, once, and gone before the test closes."""
    fresh(house, "before-the-test")
    handle, incident = begun(house, "recovery-test", 1)
    house.until(incident, "its tasks are asked for", lambda state: len(state["tasks"]) == 3)
    asked(house, "change", incident)
    until(lambda: copies(house), "it has begun")
    worker.kill()
    worker.end()
    worker.start()
    change = ended(house, incident, "applied")
    rows = next(entry["text"] for entry in house.timeline(incident) if "is restored and read" in entry["text"])
    assert "113391 rows in 3 tables" in rows
    assert "recovery point " in rows
    assert "(target 1h)" in rows
    assert "(target 4h)" in rows
    assert (change["action"], len(change["approvals"])) == ("rds.restore_test", 1)
    refused = house.call("done", incident, "remove-primary", "--as", "devops-lead")
    assert "ends once it is undone" in refused.stderr
    asked(house, "undo", incident)
    ended(house, incident, "applied", number=2)
    assert copies(house) == []
    for step in ("ask-primary", "ask-promote-replica"):
        house.run("done", incident, step, "--as", "devops-lead")
    house.run("done", incident, "sign-off", "--note", "within both targets", "--as", "devops-lead")
    house.asking.run(asyncio.wait_for(handle.result(), 60))
    state = house.show(incident)
    assert (state["status"], state["mode"], state["pages"]) == ("closed", "upkeep", [])
    assert {task["step"]: task["status"] for task in state["tasks"]} == {
        "ask-primary": "done",
        "ask-promote-replica": "done",
        "remove-primary": "done",
        "sign-off": "done",
    }


def test_a_snapshot_that_cannot_be_restored_is_found(house: House, worker: Worker) -> None:
    """Nothing shows it before it is tried; the change fails with RDS's own word, and what is left of it is removed."""
    assert worker.alive
    house.run("sandbox", "break", "snapshot-unusable", "--data-dir", str(house.data_dir))
    try:
        handle, incident = begun(house, "recovery-test", 2)
        house.until(incident, "its tasks are asked for", lambda state: len(state["tasks"]) == 3)
        asked(house, "change", incident)
        ended(house, incident, "failed")
        told = [entry["text"] for entry in house.timeline(incident)]
        assert any("is incompatible-restore" in text for text in told)
        assert copies(house)
        asked(house, "undo", incident)
        ended(house, incident, "applied", number=2)
        assert copies(house) == []
        for step in ("ask-primary", "ask-promote-replica"):
            house.run("done", incident, step, "--as", "devops-lead")
        house.run("done", incident, "sign-off", "--note", "no snapshot can be restored", "--as", "devops-lead")
        house.asking.run(asyncio.wait_for(handle.result(), 60))
    finally:
        house.run("sandbox", "break", "snapshot-usable", "--data-dir", str(house.data_dir))
