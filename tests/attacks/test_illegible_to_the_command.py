"""Anybody can start a workflow and call it an incident, or a schedule: what cannot be read of it hides no other."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Schedule, ScheduleActionStartWorkflow, ScheduleSpec
from temporalio.common import RawValue

from domain.values import ids
from domain.values.local_time import UNKNOWN, Clock, instant
from starters.cli.watch import frame
from tests.starters.backstage import Backstage
from tests.starters.conftest import Incident, backstage
from tests.waiting import until

__all__ = ["backstage"]

_NAIVE = datetime(2026, 11, 29, tzinfo=UTC).replace(tzinfo=None)
_RUBBISH = RawValue(Payload(metadata={"encoding": b"no/such"}, data=b"x"))
_SEALED = RawValue(Payload(metadata={"encoding": b"binary/encrypted"}, data=b"x" * 100))
_MEMOS: dict[str, dict[str, Any]] = {
    "x": {"declared_at": "x"},
    "number": {"declared_at": 17},
    "list": {"declared_at": ["2026-11-23T03:00:00Z"]},
    "year-9999": {"declared_at": "9999-12-31T23:59:59Z"},
    "year-1": {"declared_at": "0001-01-01T00:00:00Z"},
    "no-offset": {"declared_at": "2026-11-23T03:00:00"},
    "title": {"title": {"a": 1}, "declared_at": "2026-11-23T03:00:00Z"},
    "encoding": {"title": _RUBBISH, "declared_at": _RUBBISH},
    "sealed": {"title": _SEALED, "declared_at": _SEALED},
}


@pytest.fixture
def there(incident: Incident, backstage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Incident:
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    return incident


def test_the_list_goes_on(there: Incident, backstage: Backstage) -> None:
    """Each row that cannot be read says so for itself; a true one stands among them."""
    names = [f"inc-20261129-{name}" for name in _MEMOS]
    for name, memo in zip(names, _MEMOS.values(), strict=True):
        backstage.run(backstage.client.start_workflow("Incident", id=name, task_queue="his", memo=memo))
    true = {"title": "Portal down", "declared_at": "2026-11-23T03:00:00Z"}
    backstage.run(backstage.client.start_workflow("Incident", id="inc-20261129-0000", task_queue="his", memo=true))

    def listed() -> dict[str, Any] | None:
        rows = {row["id"]: row for row in there("list", "--json").json}
        return rows if {*names, "inc-20261129-0000"} <= set(rows) else None

    rows = until(listed, "all are listed")
    assert rows is not None
    assert {rows[name]["declared_at"] for name in names} == {UNKNOWN, true["declared_at"]}
    assert rows["inc-20261129-title"]["title"] == rows["inc-20261129-sealed"]["title"] == UNKNOWN
    assert rows["inc-20261129-0000"].items() >= true.items()
    said = there("list")
    assert (said.status, "Portal down" in said.out) == (0, True)
    assert "something of 2 is unknown" in said.err


def test_schedules_go_on(there: Incident, backstage: Backstage) -> None:
    """One that is begun with what nobody can read is set by hand, as it is with what no row says."""
    for name, given in (("rubbish", _RUBBISH), ("number", 17)):
        action = ScheduleActionStartWorkflow("Scheduled", given, id=f"his-{name}", task_queue="his")
        made = Schedule(action=action, spec=ScheduleSpec(cron_expressions=["0 0 1 1 *"]))
        backstage.run(backstage.client.create_schedule(ids.schedule_id("sandbox", name), made))

    def listed() -> bool:
        said = there("schedule", "list", "--json")
        assert said.status == 0, said.err
        by_hand = {one["id"] for one in said.json if one["when"].startswith("set by hand")}
        return {"rubbish", "number"} <= by_hand

    until(listed, "both are listed")


def test_obligations_of_all_leave_out_who_does_not_answer(there: Incident, backstage: Backstage) -> None:
    """A stranger's are named on stderr, however many; those of others are shown."""
    backstage.start_workers()
    try:
        start = ("start", "data-breach", "--severity", "P0", "--title", "Records read", "--phi", "--json")
        own = there(*start).json["incident_id"]
        for name in ("inc-20200101-dumb", "inc-20261129-dumb", *(f"inc-2020010{day}-dumb" for day in range(2, 8))):
            backstage.run(backstage.client.start_workflow("Incident", id=name, task_queue="his"))

        def shown() -> bool:
            said = there("obligations", "--json")
            if said.status != 0:
                return False  # the server does not list it yet
            return own in {row["incident"] for row in said.json} and "inc-20261129-dumb is left out" in said.err

        until(shown, "the other's are shown")
    finally:
        backstage.stop_workers()


@pytest.mark.parametrize("said", ["x", 17, [], "9999-12-31T23:59:59Z", datetime.max.replace(tzinfo=UTC), _NAIVE])
def test_an_instant_that_is_none_is_unknown(said: object) -> None:
    clock = Clock(ZoneInfo("Australia/Sydney"))
    assert (instant(said), clock(said)) == (None, UNKNOWN)
    assert clock.in_text(f"until {said}.") == f"until {said}."


def test_a_frame_of_the_year_9999() -> None:
    """`watch` shows what is due at no instant as unknown, beside all else."""
    now = datetime(2026, 11, 29, tzinfo=UTC)
    soon = (now + timedelta(minutes=5)).isoformat()
    moments = {f"{name}_at": "9999-12-31T23:59:59Z" for name in ("declared", "acknowledged", "mitigated", "resolved")}
    state: dict[str, Any] = {
        "id": "inc-1",
        "severity": "P0",
        "type": "t",
        "mode": "live",
        "environment": "sandbox",
        "title": "t",
    }
    state |= {"status": "declared", "commander": None, "closed_at": None, "next": [], "changes": [], "findings": []}
    due = [{"at": "9999-12-31T23:59:59Z", "what": "never"}, {"at": soon, "what": "soon"}]
    assert frame({**state, **moments, "due": due}, now, Clock(ZoneInfo("Australia/Sydney")))
