"""What the probes of logs may be shown that they cannot judge by."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from tests.activities.given import Stubbed
from tests.activities.log_worlds import GROUP, Said, log_of, normal, record
from tests.activities.scopes import NOW
from tests.activities.unread import Case, Look, ProbeCases

_BACKEND = {"service": "backend"}
_STRANGE: Said = (5, "listening on 8080")
_OF_OTHERS: tuple[Said, ...] = (
    (5, "Error: connect ECONNREFUSED"),
    (5, "    at TCPConnectWrap.afterConnect (node:net:1555:16)"),
    (5, "10.0.1.12: connection refused"),
    (5, "  ERROR listing failed"),
    (5, '{"severity":"CRITICAL","message":"x"}'),
)
"""Lines of which none begins what the others go on with, and a level under another key than the declared one."""
_FILE = {"LogFileName": "error/postgresql.log.2026-11-23-03", "LastWritten": int(NOW.timestamp() * 1000), "Size": 1}
_DATABASE = {"database": "primary"}
_KINDS = 10_000
"""As many rows as a query that counts gives at most."""


def _look(*lines: Said, **params: Any) -> Look:
    return Look(log_of(*lines), _BACKEND | params)


def _cut_off(**params: Any) -> Look:
    """A busy log whose lines are of more kinds than a query gives."""
    aws = Stubbed("logs")
    row = {"level0": "info", "hit": "0", "lines": "1", "first": "1795404300000", "last": "1795404300000"}
    rows = [[{"field": name, "value": value} for name, value in row.items()]] * _KINDS
    aws.answer("describe_log_groups", {"logGroups": [{"logGroupName": GROUP, "storedBytes": 10**12}]})
    for found in (rows, []):
        aws.answer("start_query", {"queryId": "q"})
        aws.answer("get_query_results", {"status": "Complete", "results": found})
    return Look(aws, _BACKEND | params)


def _of_log(well: list[Said], trouble: list[Said]) -> dict[Case, Callable[[], Look] | str]:
    return {
        Case.NO_SOURCE: lambda: Look(log_of(group="/ecs/other"), _BACKEND),
        Case.EMPTY: _look,
        Case.UNRECOGNISED: partial(_look, _STRANGE, *_OF_OTHERS),
        Case.OLD: partial(_look, *((ago + 200, line) for ago, line in well)),
        Case.ONE_UNREADABLE: partial(_look, *well, _STRANGE),
        Case.CUT_OFF: _cut_off,
        Case.TROUBLE_BESIDE_UNREADABLE: partial(_look, *well, *trouble, _STRANGE),
    }


def _files(*lines: str, files: tuple[dict[str, Any], ...] = (_FILE,), portions: int = 1) -> Look:
    aws = Stubbed("rds")
    aws.answer("describe_db_log_files", {"DescribeDBLogFiles": list(files)})
    for number in range(portions):
        more = {"Marker": str(number + 1), "AdditionalDataPending": portions > 1}
        aws.answer("download_db_log_file_portion", {"LogFileData": "\n".join(lines) + "\n", **more})
    return Look(aws, _DATABASE)


def _no_instance() -> Look:
    aws = Stubbed("rds")
    aws.stubber.add_client_error("describe_db_log_files", "DBInstanceNotFound")
    return Look(aws, _DATABASE)


def _entry(text: str, minutes_ago: float = 5) -> str:
    return f"{NOW - timedelta(minutes=minutes_ago):%Y-%m-%d %H:%M:%S} UTC::@:[381]:{text}"


_FINE, _TORN = _entry("LOG:  checkpoint starting: time"), "[Your log message was truncated]"
_TAKEOVER = [record(30 - number, success=number == 10) for number in range(11)]
_READ = record(10, "DATA_ACCESS", success=True, resourceId="s2")

PROBE_CASES: ProbeCases = {
    "logs.errors": _of_log([(9, "INFO tide read")], [(8, "ERROR no tide")]),
    "logs.failed_sign_ins": _of_log(normal(), _TAKEOVER),
    "logs.privilege_escalation": _of_log(normal(), [record(7, "PRIVILEGE_ESCALATION", success=True)]),
    "logs.data_access": _of_log(normal(), [*_TAKEOVER, _READ]),
    "logs.last_event": {
        **_of_log([(9, "INFO tide read")], []),
        Case.CUT_OFF: partial(_cut_off, pattern="eventType"),
        Case.ONE_UNREADABLE: "What is asked is whether a line that is understood was written, and one was.",
        Case.TROUBLE_BESIDE_UNREADABLE: "Its trouble is silence, and a line that is not understood is none.",
    },
    "rds.postgres_log": {
        Case.NO_SOURCE: _no_instance,
        Case.EMPTY: partial(_files, files=(), portions=0),
        Case.UNRECOGNISED: partial(_files, "2026-11-23 03:25:00 UTC [381] ERROR:  no"),
        Case.OLD: partial(_files, _entry("LOG:  checkpoint starting: time", 90)),
        Case.ONE_UNREADABLE: partial(_files, _FINE, _TORN),
        Case.CUT_OFF: partial(_files, _FINE, portions=30),
        Case.TROUBLE_BESIDE_UNREADABLE: partial(_files, _FINE, _TORN, _entry("PANIC:  no space")),
    },
}
