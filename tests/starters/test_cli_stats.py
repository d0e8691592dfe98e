"""`incident stats`: figures from the ledger alone, with Temporal away, and what cannot be counted is told."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from activities.incident_index import IncidentIndex
from domain.account import Account
from domain.audit import account as entries_of
from domain.stats import Tally
from domain.stored import StoredCopy
from domain.timeline import Entry
from starters import ledgers, stats_tables
from starters.options import Options
from tests.builders import T0
from tests.domain.histories import Said, answered, closed
from tests.domain.histories import incident as history
from tests.starters.conftest import Incident
from tests.starters.ledgered import alter, keep
from tests.starters.vaulted import Vaulted, vaulted

DAY = timedelta(days=1)
ALARM = [*answered(1), Said(2, "false_alarm", {"reason": "a test of the alarm"})]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vaulted]:
    with vaulted(monkeypatch) as world:
        yield world


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
    tally = Tally()
    for one in ledgers.accounts(Options(environment="sandbox")):
        assert isinstance(one, Account)
        tally.take(one)
    counted = tally.stats()
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


def test_a_ledger_that_cannot_be_read_is_refused(incident: Incident, aws: Vaulted) -> None:
    """No table: exit 1 in one line, nothing on stdout; nobody is told that there were no incidents."""
    aws.clients.client("dynamodb").delete_table(TableName=aws.environment.ledger_table)
    for command in ("stats", "register"):
        said = incident(command, "--json")
        assert (said.status, said.out, said.err.count("\n")) == (1, "", 1)
        assert "ResourceNotFound" in said.err


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("cut out", "the chain is broken at entry 2"),
        ("rewritten", "the chain is broken at entry 2"),
        ("garbled", "an entry cannot be read"),
        ("gone", "the ledger lists it and has no entry of it"),
        ("headless", "is broken at entry 1"),
        ("another's", "its entries are those of"),
    ],
)
def test_what_cannot_be_told_is_listed(incident: Incident, aws: Vaulted, many: list[str], how: str, why: str) -> None:
    """The others are counted, it is named with why on stdout and on stderr, and the exit status is 1."""
    alter(aws, many[0], how, many[2])
    said = incident("stats", "--json")
    assert said.status == 1
    assert said.err.count("\n") == 1
    assert f"{many[0]} cannot be told" in said.err
    assert "incident audit verify" in said.err
    assert said.json["total"]["incidents"] == 2
    [lost] = said.json["unreadable"]
    assert lost["id"] == many[0]
    assert why in lost["reason"]
    shown = incident("stats")
    assert shown.status == 1
    assert why in shown.out


def test_nothing_but_unreadable_ones_says_so(incident: Incident, aws: Vaulted) -> None:
    [lost] = keep(aws, history())
    alter(aws, lost, "gone")
    said = incident("stats")
    assert said.status == 1
    assert lost in said.out


def test_one_incident_at_a_time_is_in_memory(aws: Vaulted, many: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads the next incident before the one before it is taken."""
    read: list[str] = []

    def account(copy: StoredCopy) -> list[Entry]:
        read.append(copy.incident)
        return entries_of(copy)

    monkeypatch.setattr("domain.audit.account", account)
    for number, _ in enumerate(ledgers.accounts(Options(environment="sandbox")), start=1):
        assert len(read) == number
    assert read == many


class Short:
    """Clients whose queries give two items a page."""

    def __init__(self, clients: Any) -> None:
        self._db = clients.client("dynamodb")
        self.pages = 0

    def client(self, service: str) -> Any:
        assert service == "dynamodb"
        return self

    def query(self, **asked: Any) -> Any:
        self.pages += 1
        return self._db.query(**asked, Limit=2)


def test_a_long_index_is_read_to_its_end(aws: Vaulted) -> None:
    """The list of incidents comes in pages; the last page counts as the first does."""
    ids = keep(aws, *(history("database", "P1", [], T0 + number * DAY) for number in range(5)))
    short: Any = Short(aws.clients)
    assert IncidentIndex(short, aws.environment).ids() == ids
    assert short.pages == 3
    assert IncidentIndex(short, aws.environment).ids(T0 + 2 * DAY) == ids[2:]
