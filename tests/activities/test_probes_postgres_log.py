from datetime import datetime, timedelta
from typing import Any

import pytest

from activities.action import RuleError
from activities.aws.database.rds_postgres_log import PostgresLog, PostgresLogParams
from domain.config.log_formats import DatabaseLog
from domain.model.finding import Finding, FindingStatus
from tests.activities.given import Stubbed
from tests.activities.scopes import NOW, environment, scope
from tests.domain import log_samples

FILE = "error/postgresql.log.2026-11-23-03"
PREFIX = "10.0.1.12(51834):portal@imaging:[381]"


def line(minutes_ago: float, text: str, prefix: str = PREFIX) -> str:
    return f"{NOW - timedelta(minutes=minutes_ago):%Y-%m-%d %H:%M:%S} UTC:{prefix}:{text}"


def file(name: str = FILE, written: datetime = NOW, size: int = 1) -> dict[str, Any]:
    return {"LogFileName": name, "LastWritten": int(written.timestamp() * 1000), "Size": size}


def portion(text: str, marker: str = "3:9", *, more: bool = False) -> dict[str, Any]:
    return {"LogFileData": text, "Marker": marker, "AdditionalDataPending": more}


def asked(name: str = FILE, marker: str = "0") -> dict[str, Any]:
    return {"DBInstanceIdentifier": "axis-db", "LogFileName": name, "Marker": marker}


def look(aws: Stubbed, log: DatabaseLog | None = None, **params: Any) -> Finding:
    given = PostgresLogParams.model_validate({"database": "primary"} | params)
    primary = environment().databases["primary"].model_dump() | ({"log": log.model_dump()} if log else {})
    return PostgresLog(aws).observe(scope(environment=environment(databases={"primary": primary})), given, NOW)


def with_lines(*lines: str, log: DatabaseLog | None = None, **params: Any) -> Finding:
    """What is found in one file of these lines, by the format that the environment declares."""
    aws = Stubbed("rds")
    name = f"{FILE}.csv" if log and log.format == "csvlog" else FILE
    aws.answer("describe_db_log_files", {"DescribeDBLogFiles": [file(name)]})
    aws.answer("download_db_log_file_portion", portion("\n".join(lines)))
    return look(aws, log=log, **params)


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
    assert ": 1 error in the log of the last " in with_lines(few[0]).summary
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


CASES = [
    (
        DatabaseLog(format="postgres", prefix=log_samples.VERBOSE, zone="Australia/Sydney"),
        log_samples.DATABASE["verbose, another zone"].line,
    ),
    (log_samples.OTHER, log_samples.DATABASE["other"].line + ", too many clients already"),
    (log_samples.CSVLOG, log_samples.DATABASE["csvlog"].line),
    (log_samples.GERMAN_CODES, log_samples.DATABASE["German, with codes"].line),
]


@pytest.mark.parametrize(("declared", "text"), CASES)
def test_forty_refused_connections_are_seen_whatever_the_settings(declared: DatabaseLog, text: str) -> None:
    """By the prefix, zone, format and language that the environment declares; none of it by those of RDS alone."""
    finding = with_lines(*[text] * 40, log=declared)
    assert finding.status is FindingStatus.SUSPECT
    assert (finding.facts["errors"], finding.facts["connections_refused"], finding.facts["unread"]) == (40, 40, 0)
    assert finding.facts["first_at"] == "2026-11-23T03:25:00Z"


@pytest.mark.parametrize(("declared", "text"), CASES[:2])
def test_a_log_of_another_format_is_never_well(declared: DatabaseLog, text: str) -> None:
    """Where the environment says that it is as RDS writes it, and it is not."""
    finding = with_lines(*[text] * 40)
    assert finding.status is FindingStatus.UNKNOWN
    assert (finding.facts["entries"], finding.facts["unread"]) == (0, 40)
    assert finding.summary.endswith("; 40 lines are not understood")


def test_errors_of_another_language_without_codes_are_not_called_well() -> None:
    """A refused connection says neither in English nor by a code what it is."""
    text = "2026-11-23 03:25:00 UTC::@:[381]:LOG:  Checkpoint beginnt"
    finding = with_lines(text, log=log_samples.GERMAN)
    assert finding.status is FindingStatus.UNKNOWN
    assert "log_line_prefix has no %e" in finding.summary
    slow = "2026-11-23 03:25:00 UTC:h(1):watch@harbour:[381]:LOG:  Dauer: 6120.4 ms"
    assert with_lines(slow, log=log_samples.GERMAN).facts["slowest_ms"] == 6120.4


def test_a_csvlog_is_read_row_by_row() -> None:
    """A statement within quotes may have line breaks; a row that is cut does not spoil the next one."""
    row = log_samples.DATABASE["csvlog"].line
    broken = row.replace('"sorry, too many', '"sorry,\n\n too many').replace("53300", "40P01")
    finding = with_lines(row, *broken.split("\n"), row[:200], row, "", log=log_samples.CSVLOG)
    assert (finding.facts["entries"], finding.facts["unread"], finding.facts["lock_waits"]) == (3, 1, 1)


@pytest.mark.parametrize(("declared", "files"), [(log_samples.CSVLOG, [FILE]), (None, [f"{FILE}.csv"])])
def test_a_file_of_another_format_is_not_read(declared: DatabaseLog | None, files: list[str]) -> None:
    """RDS writes a csvlog beside the usual files, and under other names."""
    aws = Stubbed("rds")
    aws.answer("describe_db_log_files", {"DescribeDBLogFiles": [file(name) for name in files]})
    finding = look(aws, log=declared)
    assert (finding.status, finding.facts["files"]) == (FindingStatus.UNKNOWN, 0)
    assert "no log file of format" in finding.summary


@pytest.mark.parametrize(("oldest", "truncated"), [(70, False), (50, True)])
def test_of_a_file_too_big_to_read_the_end_is_read(oldest: int, truncated: bool) -> None:
    """The newest lines are there, and all of the window is if they begin before it."""
    aws = Stubbed("rds")
    aws.answer("describe_db_log_files", {"DescribeDBLogFiles": [file(size=31_000_000)]})
    lines = ["half a line", line(oldest, "LOG:  fine"), line(5, "FATAL:  sorry, too many clients already")]
    asked = {"DBInstanceIdentifier": "axis-db", "LogFileName": FILE, "NumberOfLines": 10_000}
    aws.answer("download_db_log_file_portion", portion("\n".join(lines)), asked)
    finding = look(aws)
    aws.all_asked()
    assert (finding.status, finding.facts["connections_refused"]) == (FindingStatus.SUSPECT, 1)
    assert (finding.facts["truncated"], finding.facts["unread"]) == (truncated, 0)


@pytest.mark.parametrize("lines", [[], [line(90, "LOG:  fine")], ["[Your log message was truncated]"]])
def test_files_without_an_entry_of_the_time_are_unknown(lines: list[str]) -> None:
    """A file that was written to and says nothing of the window."""
    assert with_lines(*lines).status is FindingStatus.UNKNOWN


def test_one_line_that_is_not_understood_keeps_it_from_being_well() -> None:
    """It is counted and told, and the trouble beside it is seen."""
    fine, strange = line(5, "LOG:  fine"), "[Your log message was truncated]"
    assert with_lines(fine).status is FindingStatus.OK
    finding = with_lines(fine, strange)
    assert (finding.status, finding.facts["unread"]) == (FindingStatus.UNKNOWN, 1)
    assert with_lines(fine, strange, line(4, "PANIC:  no")).status is FindingStatus.SUSPECT


def test_a_database_whose_log_is_not_declared_is_refused() -> None:
    """The file that lacks it is named."""
    primary = environment().databases["primary"].model_copy(update={"log": None})
    about = scope(environment=environment(databases={"primary": primary}))
    with pytest.raises(RuleError, match=r"has no databases\.primary\.log: add it"):
        PostgresLog(Stubbed("rds")).observe(about, PostgresLogParams(database="primary"), NOW)
