"""A year of nights by the clock of Sydney on a whole sandbox: each looks for drift, and what has gone is told once."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.clockwork import ZONE, Clockwork, due, rows
from tests.e2e.conftest import folder_for, opened
from tests.e2e.house import COMMAND, Document, House
from tests.e2e.workers import Worker, running
from tests.proving import proved

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e-nights"), pytest.mark.timeout(7200)]

YEAR = (datetime(2025, 11, 27, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC))
NIGHTS = "drift"
GROUP, LACKING = "/ecs/axis-imaging-frontend-production", "services.frontend.log_group"
GONE, BACK = 200, 203
"""The nights, counted from 0, from which on the log group is gone, and is there again."""
_A_NIGHT_SECONDS = 30
_PACK_SECONDS = 900  # the records of all of them, each read and proven


@pytest.fixture
def house() -> Iterator[House]:
    with folder_for("nights") as data_dir, opened(House(data_dir)) as one, running(Worker(one)) as worker:
        yield one
        worker.stop()


def sundays(month: int) -> set[date]:
    """The first Sundays of a month, on which the clocks of Sydney are changed between two and three at night."""
    firsts = (date(year, month, day) for year in (2025, 2026) for day in range(1, 8))
    return {day for day in firsts if day.isoweekday() == 7}


def at_four() -> Iterator[datetime]:
    """Four at night in Sydney, day by day: from spring to autumn eleven hours ahead of UTC, otherwise ten."""
    ahead, day = 10, date(2025, 1, 1)
    while day <= YEAR[1].date():
        ahead = 11 if day in sundays(10) or day == date(2025, 1, 1) else 10 if day in sundays(4) else ahead
        at = datetime.combine(day, time(4), UTC) - timedelta(hours=ahead)
        if YEAR[0] < at <= YEAR[1]:
            yield at
        day += timedelta(days=1)


def test_every_night_of_a_year_is_a_run(house: House, tmp_path: Path) -> None:
    """Under the time that it was due; of three nights without a log group the first opens a P3, and the pack has it."""
    clock, nights = Clockwork(house), [*at_four()]
    assert due(rows(house)[NIGHTS], YEAR) == nights
    assert len(nights) == (YEAR[1] - YEAR[0]).days
    told = [*_played(clock, nights[:GONE])]
    house.aws("logs").delete_log_group(logGroupName=GROUP)
    told += _played(clock, nights[GONE:BACK])
    _log_again(house)
    told += _played(clock, nights[BACK:])
    assert clock.runs(NIGHTS) == dict.fromkeys(nights, "COMPLETED")
    links = [house.show(told[night])["links"] for night in range(GONE - 1, BACK + 1)]
    key = f"drift:sandbox:{LACKING}"
    held = [[link["held"] for link in several if link["key"] == key] for several in links]
    assert held == [[], [False], *[[True]] * (BACK - GONE - 1), []]
    opened = {link["incident"] for several in links for link in several} - {None}
    (lacking,) = [one for one in opened if house.show(one)["title"] == f"Drift of sandbox: {LACKING}"]
    assert house.show(lacking)["severity"] == "P3"
    _in_the_pack(house, tmp_path, dict(zip(told, nights, strict=True)), opened)


def _log_again(house: House) -> None:
    """The group is made anew, and its service writes to it: without a line nobody could tell how they are written."""
    logs, stream = house.aws("logs"), {"logGroupName": GROUP, "logStreamName": "again"}
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(**stream)
    line = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": "INFO request done"}
    logs.put_log_events(**stream, logEvents=[line])


def _played(clock: Clockwork, nights: list[datetime]) -> Iterator[str]:
    """Play nights one after the other; the incident of each."""
    clock.backfill(NIGHTS, nights[0], nights[-1])
    clock.ended(NIGHTS, nights[-1], _A_NIGHT_SECONDS * len(nights))
    return (clock.ended(NIGHTS, night)["incident"] for night in nights)


def _in_the_pack(house: House, tmp_path: Path, told: dict[str, datetime], opened: set[str]) -> None:
    """Every night's record is there, whole and under its time, and what they opened; a stranger can check it."""
    today = datetime.now(ZoneInfo(ZONE))
    period = f"{today.year}-Q{(today.month + 2) // 3}"
    command = [*COMMAND, "audit", "pack", "--period", period, "-o", str(tmp_path / "pack.zip")]
    subprocess.run(command, env=house.environment, cwd=house.cwd, timeout=_PACK_SECONDS, check=False)
    pack = tmp_path / "pack"
    with ZipFile(tmp_path / "pack.zip") as zipped:
        zipped.extractall(pack)
    table: list[Document] = json.loads((pack / "incidents.json").read_text())
    assert [row["incident"] for row in table if row["flaw"]] == []
    assert {row["incident"] for row in table} == {*told, *opened}
    kept = json.loads((pack / "upkeep.json").read_text())
    assert {row["incident"]: datetime.fromisoformat(row["due_at"]) for row in kept if row["schedule"] == NIGHTS} == told
    assert {one for row in kept for one in row["opened"]} == opened
    seen = [found["status"] for row in kept for found in row["findings"]]
    assert seen == ["suspect" if GONE <= night < BACK else "ok" for night in range(len(told))]
    assert [told[row["incident"]] for row in kept if row["opened"]] == [*told.values()][GONE : GONE + 1]
    checked = proved(pack)
    assert checked.returncode == 0, checked.stderr
