from datetime import datetime, timedelta
from typing import Any

import pytest

from activities.aws.database.rds_postgres_log import PostgresLog, PostgresLogParams
from domain.model.finding import Finding, FindingStatus
from tests.activities.given import Stubbed
from tests.activities.scopes import NOW, scope

FILE = "error/postgresql.log.2026-11-23-03"
PREFIX = "10.0.1.12(51834):portal@imaging:[381]"


def line(minutes_ago: float, text: str, prefix: str = PREFIX) -> str:
    return f"{NOW - timedelta(minutes=minutes_ago):%Y-%m-%d %H:%M:%S} UTC:{prefix}:{text}"


def file(name: str = FILE, written: datetime = NOW) -> dict[str, Any]:
    return {"LogFileName": name, "LastWritten": int(written.timestamp() * 1000), "Size": 1}


def portion(text: str, marker: str = "3:9", *, more: bool = False) -> dict[str, Any]:
    return {"LogFileData": text, "Marker": marker, "AdditionalDataPending": more}


def asked(name: str = FILE, marker: str = "0") -> dict[str, Any]:
    return {"DBInstanceIdentifier": "axis-db", "LogFileName": name, "Marker": marker}


def look(aws: Stubbed, **params: Any) -> Finding:
    given = PostgresLogParams.model_validate({"database": "primary"} | params)
    return PostgresLog(aws).observe(scope(), given, NOW)


def with_lines(*lines: str, **params: Any) -> Finding:
    aws = Stubbed("rds")
    aws.answer("describe_db_log_files", {"DescribeDBLogFiles": [file()]})
    aws.answer("download_db_log_file_portion", portion("\n".join(lines)))
    return look(aws, **params)


def test_files_are_found_by_us_and_read_from_their_beginning() -> None:
    """Every page of files, those of PostgreSQL that were written in the window, each portion by portion from 0."""
    aws = Stubbed("rds")
    old, other = file("error/postgresql.log.2026-11-22-01", NOW - timedelta(days=1)), file("trace/alert.log")
    earlier = file("error/postgresql.log.2026-11-23-02", NOW - timedelta(minutes=31))
    aws.answer(
        "describe_db_log_files",
        {"DescribeDBLogFiles": [old, other, earlier], "Marker": "m"},
        {"DBInstanceIdentifier": "axis-db"},
    )
    aws.answer(
        "describe_db_log_files", {"DescribeDBLogFiles": [file()]}, {"DBInstanceIdentifier": "axis-db", "Marker": "m"}
    )
    whole = line(5, "ERROR:  deadlock detected")
    aws.answer("download_db_log_file_portion", portion(whole[:40], "3:1", more=True), asked())
    aws.answer("download_db_log_file_portion", portion(whole[40:] + "\n"), asked(marker="3:1"))
    aws.answer(
        "download_db_log_file_portion", portion(line(40, "FATAL:  no")), asked("error/postgresql.log.2026-11-23-02")
    )
    finding = look(aws)
    aws.all_asked()
    assert (finding.facts["files"], finding.facts["errors"], finding.facts["lock_waits"]) == (2, 2, 1)
    assert (finding.facts["first_at"], finding.facts["last_at"]) == ("2026-11-23T02:50:00Z", "2026-11-23T03:25:00Z")


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "connections_refused",
        ),
        ("FATAL:  sorry, too many clients already", "connections_refused"),
        ("LOG:  process 381 still waiting for ShareLock on transaction 4711 after 1000.1 ms", "lock_waits"),
        ("ERROR:  canceling statement due to lock timeout", "lock_waits"),
        ("PANIC:  could not write to file", "panics"),
    ],
)
def test_one_such_line_is_suspect(text: str, fact: str) -> None:
    """Refused connections, lock waits and a panic count from the first one."""
    finding = with_lines(line(5, text))
    assert finding.status is FindingStatus.SUSPECT
    assert finding.facts[fact] == 1


def test_slow_statements_are_counted_and_never_quoted() -> None:
    """From a second on, by the server's own measure; what they ask for stays where it is."""
    statement = "execute <unnamed>: SELECT name FROM patients WHERE note = 'ERROR: deadlock detected'"
    finding = with_lines(
        line(5, f"LOG:  duration: 999.9 ms  {statement}"),
        line(4, f"LOG:  duration: 6120.4 ms  {statement}"),
        "\tAND id = 4711 -- 2026-11-23 03:29:00 UTC:x:[1]:ERROR:  no line of its own",
        line(3, f"STATEMENT:  {statement}"),
        threshold=1,
    )
    assert finding.status is FindingStatus.SUSPECT
    assert (finding.facts["slow_statements"], finding.facts["slowest_ms"]) == (1, 6120.4)
    assert (finding.facts["errors"], finding.facts["lock_waits"]) == (0, 0)
    assert "patients" not in finding.model_dump_json()


def test_lines_outside_the_window_do_not_count() -> None:
    """A file holds its whole hour; the window may be shorter, and ends at the look."""
    finding = with_lines(
        line(70, "FATAL:  sorry, too many clients already"),
        line(-1, "ERROR:  later"),
        line(9, "LOG:  checkpoint starting: time", prefix=":@:[12]"),
    )
    assert (finding.status, finding.facts["errors"]) == (FindingStatus.OK, 0)


def test_a_few_errors_are_usual() -> None:
    """Ten are not."""
    few = [line(number, "ERROR:  duplicate key value violates a constraint") for number in range(1, 10)]
    assert with_lines(*few).status is FindingStatus.OK
    assert with_lines(*few, line(20, "ERROR:  another")).status is FindingStatus.SUSPECT


def test_no_file_is_unknown() -> None:
    """A log that was not written says nothing of how the database is."""
    aws = Stubbed("rds")
    aws.answer("describe_db_log_files", {"DescribeDBLogFiles": [file(written=NOW - timedelta(hours=3))]})
    assert look(aws).status is FindingStatus.UNKNOWN


def test_a_log_without_end_is_cut_and_says_so() -> None:
    """Downloading costs the database: thirty portions are enough, and a cut search does not say that all is well."""
    aws = Stubbed("rds")
    aws.answer("describe_db_log_files", {"DescribeDBLogFiles": [file()]})
    for number in range(31):
        aws.answer("download_db_log_file_portion", portion(f"{line(5, 'LOG:  fine')}\n", f"3:{number}", more=True))
    finding = look(aws)
    assert (finding.status, finding.facts["truncated"]) == (FindingStatus.UNKNOWN, True)
