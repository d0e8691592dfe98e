"""`incident stats`: figures from the ledger alone, with Temporal away, and what cannot be counted is told."""

import io
import json
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from reporting.statistics.tally import tally
from starters.cli import stats_tables
from starters.client import recorded_incidents
from starters.options import Options
from tests.builders import T0
from tests.domain.histories import Said, answered, closed
from tests.domain.histories import incident as history
from tests.starters.conftest import Incident
from tests.starters.ledgered import keep
from tests.starters.vaulted import Vaulted

DAY = timedelta(days=1)
ALARM = [*answered(1), Said(2, "false_alarm", {"reason": "a test of the alarm"})]


@pytest.fixture
def many(aws: Vaulted) -> list[str]:
    """Two outages and a slow database, an alarm, a drill and a dry run, a day apart."""
    return keep(
        aws,
        history("system-outage", "P0", [*answered(4, 20, 60), *closed(70)], T0),
        history("system-outage", "P0", answered(20), T0 + DAY),
        history("database", "P1", answered(30, 90, 600), T0 + 2 * DAY),
        history("alert-storm", "P2", ALARM, T0 + 3 * DAY),
        history("system-outage", "P0", answered(1, 2, 3), T0 + 4 * DAY, mode="drill"),
        history("system-outage", "P0", answered(1, 2, 3), T0 + 5 * DAY, mode="dry-run"),
    )


def test_figures_as_one_document(incident: Incident, many: list[str]) -> None:
    """Counts, times in seconds with their number, clocks: by severity and by type, drills and alarms apart."""
    said = incident("stats", "--json")
    assert (said.status, said.err) == (0, "")
    found = said.json
    assert (found["environment"], found["since"], found["dry_runs"], found["unreadable"]) == ("sandbox", None, 1, [])
    total = found["total"]
    assert {name: total[name] for name in ("incidents", "open", "false_alarms", "drills")} == {
        "incidents": 3,
        "open": 2,
        "false_alarms": 1,
        "drills": 1,
    }
    assert total["time_to_acknowledge"] == {
        "n": 3,
        "mean_seconds": 1080,
        "median_seconds": 1200,
        "min_seconds": 240,
        "max_seconds": 1800,
    }
    assert total["time_to_resolve"]["median_seconds"] == (3600 + 36000) / 2
    assert total["response"] == {"met": 2, "breached": 1, "running": 0}
    assert total["escalation"] == {"met": 2, "breached": 0, "running": 1}
    assert [group["name"] for group in found["by_severity"]] == ["P0", "P1", "P2"]
    assert [group["name"] for group in found["by_type"]] == ["system-outage", "database", "alert-storm"]


def test_tables_and_a_chart(incident: Incident, many: list[str]) -> None:
    said = incident("stats")
    assert (said.status, said.err) == (0, "")
    for text in ("By severity", "By type", "response 2/3", "1 false alarm", "n 3", "◆ median", "Dry runs left out: 1."):
        assert text in said.out


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_window(
    aws: Vaulted, many: list[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """In a window of 80 columns as of 120 every row is whole and no name is cut within a word."""
    console = Console(width=width, record=True, file=io.StringIO())
    monkeypatch.setattr(stats_tables, "console", lambda: console)
    long = history("authentication-failure", "P1", answered(30, 90, 600), T0 + 6 * DAY)
    keep(aws, long)
    counted = tally(recorded_incidents.incidents(Options(environment="sandbox"), []))
    console.print(stats_tables.numbers("By type", counted.by_type), stats_tables.chart(counted))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= width
    assert sum("authentication-" in line for line in lines) == 2
    assert not any("…" in line for line in lines)


def test_since_counts_from_local_midnight(incident: Incident, aws: Vaulted) -> None:
    """A day begins where the organisation is: 13:00 UTC before it in summer; what was declared then is in."""
    midnight = T0.astimezone(ZoneInfo("Australia/Sydney")).replace(hour=0, minute=0)
    early = history("database", "P1", [], midnight - timedelta(seconds=1))
    keep(aws, early, history("system-outage", "P0", [], midnight))
    found = incident("stats", "--since", "2026-11-23", "--json").json
    assert found["since"] == "2026-11-22T13:00:00Z"
    assert [group["name"] for group in found["by_type"]] == ["system-outage"]
    assert incident("stats", "--since", "2026-11-22", "--json").json["total"]["incidents"] == 2


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "2026-11-23T10:00", "0001-01-01", "", "2999-01-01", "7d"])
def test_a_day_that_is_none_is_refused(incident: Incident, day: str) -> None:
    """Exit 2 in one line that names the option, the value and what to write; AWS is not asked."""
    said = incident("stats", "--since", day)
    assert (said.status, said.out, said.err.count("\n")) == (2, "", 1)
    assert "--since" in said.err
    assert "write a day that has begun, such as 2026-11-01" in said.err


@pytest.mark.parametrize("format_", ["html", "svg"])
def test_a_chart_goes_to_a_file(incident: Incident, many: list[str], tmp_path: Path, format_: str) -> None:
    file = tmp_path / f"stats.{format_}"
    said = incident("stats", "--format", format_, "-o", str(file))
    assert (said.status, said.out, said.err) == (0, "", f"{file} written\n")
    written = file.read_text()
    assert "Incidents of sandbox, all" in written
    assert "prefers-color-scheme:dark" in written
    assert incident("stats", "--format", format_).out.count("<svg ") == 1


def test_json_goes_to_a_file(incident: Incident, many: list[str], tmp_path: Path) -> None:
    file = tmp_path / "stats.json"
    said = incident("stats", "--json", "-o", str(file))
    assert (said.status, said.json) == (0, {"written": str(file)})
    assert json.loads(file.read_text())["total"]["incidents"] == 3


@pytest.mark.parametrize("command", ["stats", "register"])
def test_wrong_usage(incident: Incident, aws: Vaulted, tmp_path: Path, command: str) -> None:
    """A format that contradicts, a file without a format, and one that cannot be written exit 2 in one line."""
    format_ = "csv" if command == "register" else "svg"
    nowhere = str(tmp_path / "no" / "file")
    wrong = [("--json", "--format", format_), ("-o", nowhere), ("--format", format_, "-o", nowhere)]
    for arguments in (*wrong, ("--format", "pdf")):
        said = incident(command, *arguments)
        assert (said.status, said.out, said.err.count("\n")) == (2, "", 1), arguments


def test_an_empty_ledger_is_no_error(incident: Incident, aws: Vaulted) -> None:
    said = incident("stats")
    assert (said.status, said.err) == (0, "")
    assert "Incidents of sandbox, all: none." in said.out
