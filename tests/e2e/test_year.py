"""A year by the clock of Sydney on a whole sandbox: all that schedules ask of people, by backfill, and what is left."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
import yaml
from temporalio.service import RPCError

from domain.values import ids
from tests.e2e.clockwork import ENVIRONMENT, ZONE, Clockwork, People, due, rows
from tests.e2e.conftest import folder_for, opened
from tests.e2e.house import House
from tests.e2e.test_upkeep import history
from tests.e2e.workers import Worker, running
from tests.proving import proved
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e-year"), pytest.mark.timeout(1800)]

YEAR = (datetime(2025, 11, 27, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC))
BROKE, TABLE_TOP = "deployment-that-broke", "studies-downloaded"
UNANSWERED, PUT_OFF, SILENT = 4, 7, 5
"""In which of the twelve months nobody answers the drill, something real puts it off, and the CTO says no code."""
NIGHTS = "drift"
"""`test_nights` plays those."""
PACE = 4320.0
"""Of upkeep: three days, within which a code is to be said, are a minute."""
DRILL_PACE, FAST = 30.0, 1440.0


@pytest.fixture
def year() -> Iterator[House]:
    with folder_for("year") as data_dir, opened(House(data_dir)) as one:
        drills = Path(one.variables["INCIDENT_RUNBOOKS"]) / "drills.yaml"
        kept = [row for row in yaml.safe_load(drills.read_text())["scenarios"] if row["id"] in {BROKE, TABLE_TOP}]
        drills.write_text(yaml.safe_dump({"scenarios": kept}), encoding="utf-8")
        with running(Worker(one)) as worker:
            yield one
            worker.stop()


def test_a_year_is_in_the_report_and_in_the_pack(year: House, tmp_path: Path) -> None:
    """Each time of each schedule is run once under the time that it was due; what people left undone is told."""
    clock, people, its = Clockwork(year), People(year), rows(year)
    times = {name: due(row, YEAR) for name, row in its.items() if name != NIGHTS}
    assert {name: len(several) for name, several in times.items()} == {
        "response-drill": 12,
        "recovery-test": 4,
        "trials": 4,
        "security-simulation": 1,
        "compliance-pack": 4,
        "runbook-review": 4,
        "contacts": 12,
    }
    _drills(year, clock, people, times["response-drill"])
    clock.pace("security-simulation", FAST)
    _one(clock, "security-simulation", times["security-simulation"][0])
    clock.pace("contacts", PACE)
    for month, at in enumerate(times["contacts"], start=1):
        clock.backfill("contacts", at, at)
        incident = clock.incident_of("contacts", at)
        people.say_codes(incident, "cto" if month == SILENT else None)
        people.do(incident)
        clock.ended("contacts", at)
    for at in times["recovery-test"]:
        clock.backfill("recovery-test", at, at)
        people.recover(clock.incident_of("recovery-test", at))
        clock.ended("recovery-test", at)
    for name in ("runbook-review", "compliance-pack", "trials"):
        for at in times[name]:
            clock.backfill(name, at, at)
            people.do(clock.incident_of(name, at))
            clock.ended(name, at)
    for name, several in times.items():
        assert sorted(clock.runs(name)) == several, name
    verdicts = [one["verdict"] for one in reversed(year.json("drill", "list")["drills"]) if one["scenario"] == BROKE]
    assert verdicts == ["failed" if month in {UNANSWERED, PUT_OFF} else "passed" for month in range(1, 13)]
    reached = {(one["contact"], one["channel"]): one for one in year.json("contact", "list")["contacts"]}
    assert reached["cto", "email"]["confirmed_at"]
    _in_the_pack(year, times, tmp_path)


def _one(clock: Clockwork, name: str, at: datetime) -> None:
    clock.backfill(name, at, at)
    clock.ended(name, at)


def _drills(year: House, clock: Clockwork, people: People, times: list[datetime]) -> None:
    """Each month's: people respond, but in one month; in another they are busy with what is real until the next day."""
    for month, at in enumerate(times, start=1):
        answered = month not in {UNANSWERED, PUT_OFF}
        clock.pace("response-drill", DRILL_PACE if answered else FAST)
        if month == PUT_OFF:
            _put_off(year, clock, at)
        else:
            clock.backfill("response-drill", at, at)
        if answered:
            people.roll_back(clock.incident_of("response-drill", at))
        clock.ended("response-drill", at)
        until(year.healthy, "the fault is withdrawn")


def _waits(year: House) -> bool:
    """Whether the drill has looked, and waits for another day: nothing is injected."""
    try:
        told = history(year, ids.drill_workflow_id(ENVIRONMENT))
    except RPCError:  # it has not begun
        return False
    return "EVENT_TYPE_TIMER_STARTED" in told and "drills.inject" not in told


def _put_off(year: House, clock: Clockwork, at: datetime) -> None:
    """Something real is open when a drill is to begin, and over before the next day."""
    real = year.json("start", "performance", "--severity", "P1", "--title", "The portal is slow")["incident_id"]
    clock.backfill("response-drill", at, at)
    until(partial(_waits, year), "it is put off")
    year.run("false-alarm", real, "--reason", "it was not", "--as", "devops-lead")


def _in_the_pack(year: House, times: dict[str, list[datetime]], tmp_path: Path) -> None:
    """Every run's incident is in the pack under its schedule and the time that it was due; a stranger can check it."""
    today = datetime.now(ZoneInfo(ZONE))
    year.call("audit", "pack", "--period", f"{today.year}-Q{(today.month + 2) // 3}", "-o", str(tmp_path / "pack.zip"))
    with ZipFile(tmp_path / "pack.zip") as zipped:
        zipped.extractall(tmp_path / "pack")
    table = json.loads((tmp_path / "pack" / "incidents.json").read_text())
    assert [row["incident"] for row in table if row["flaw"]] == []
    told: dict[str, list[datetime]] = {name: [] for name in times}
    for row in [
        row for name in ("drills", "upkeep") for row in json.loads((tmp_path / "pack" / f"{name}.json").read_text())
    ]:
        if row["schedule"]:
            told[row["schedule"]].append(datetime.fromisoformat(row["due_at"]))
    assert {name: sorted(several) for name, several in told.items()} == times
    checked = proved(tmp_path / "pack")
    assert checked.returncode == 0, checked.stderr
