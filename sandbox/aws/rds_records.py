"""What RDS records of an instance: its events, and PostgreSQL's log, downloaded in portions."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.exceptions import DBInstanceNotFoundError, InvalidParameterCombination, RDSClientError
from moto.rds.models import DBInstance
from moto.rds.responses import RDSResponse

from sandbox.aws.paging import page
from sandbox.aws.rds_clusters import cluster_state_of
from sandbox.aws.rds_state import state_of
from sandbox.aws.rollout import LOCK, moment

_EVENTS_KEPT = timedelta(days=14)
_LINES = 10_000
_PORTION_BYTES = 1_000_000


def describe_events(response: RDSResponse) -> ActionResult:
    """Describe the events between two times, or of the last `Duration` minutes, 60 by default."""
    asked, now = response.params, moment()
    identifier, kind = asked.get("SourceIdentifier"), asked.get("SourceType")
    if identifier and not kind:
        raise InvalidParameterCombination("Cannot specify source identifier without source type")
    since, until = _instant(asked.get("StartTime")), _instant(asked.get("EndTime")) or now
    if since is not None and since < now - _EVENTS_KEPT - timedelta(minutes=1):
        raise RDSClientError("InvalidParameterValue", "StartTime must be within the last 14 days.")
    since = since or until - timedelta(minutes=int(asked.get("Duration") or 60))
    wanted = set(asked.get("EventCategories") or [])
    with LOCK:
        for instance in response.backend.databases.values():
            state_of(instance).settle()
        for cluster in response.backend.clusters.values():
            cluster_state_of(cluster).settle()
        found = [
            event
            for event in sorted(response.backend.events, key=lambda event: _aware(event.date))
            if identifier in {None, event.source_identifier}
            and kind in {None, event.source_type}
            and since <= _aware(event.date) <= until
            and (not wanted or wanted & set(event.event_categories))
        ]
    shown, marker = page(found, asked.get("Marker"), int(asked.get("MaxRecords") or 100))
    return ActionResult({"Events": shown, "Marker": marker})


def describe_db_log_files(response: RDSResponse) -> ActionResult:
    """Describe an instance's log files: one an hour, named as PostgreSQL names them."""
    asked = response.params
    contains, since = asked.get("FilenameContains") or "", int(asked.get("FileLastWritten") or 0)
    with LOCK:
        log = state_of(_instance(response)).log
        files = [
            {
                "LogFileName": name,
                "LastWritten": int(lines[-1][0].timestamp() * 1000),
                "Size": sum(len(line) + 1 for _, line in lines),
            }
            for name, lines in sorted(log.items())
            if contains in name and lines[-1][0].timestamp() * 1000 >= since
        ]
    shown, marker = page(files, asked.get("Marker"), int(asked.get("MaxRecords") or 100))
    return ActionResult({"DescribeDBLogFiles": shown, "Marker": marker})


def download_db_log_file_portion(response: RDSResponse) -> ActionResult:
    """Download a portion of a log file from `Marker` on; without a marker, only its end.

    A portion is 1 MB at most (RDS API DownloadDBLogFilePortion).
    """
    asked = response.params
    name, size = asked.get("LogFileName"), min(int(asked.get("NumberOfLines") or _LINES), _LINES)
    with LOCK:
        log = state_of(_instance(response)).log
        if name not in log:
            raise RDSClientError("DBLogFileNotFoundFault", f"DBLog File: {name}, is not found on the DB instance")
        lines = [line for _, line in log[name]]
    marker = asked.get("Marker")
    start = max(len(lines) - size, 0) if marker is None else int(str(marker).rsplit(":", maxsplit=1)[-1])
    sizes = accumulate(len(line) + 1 for line in lines[start : start + size])
    end = start + sum(1 for so_far in sizes if so_far <= _PORTION_BYTES)
    return ActionResult(
        {
            "LogFileData": "".join(f"{line}\n" for line in lines[start:end]),
            "Marker": f"{name.rsplit('-', maxsplit=1)[-1]}:{end}",
            "AdditionalDataPending": end < len(lines),
        }
    )


OPERATIONS: dict[str, Any] = {
    "describe_events": describe_events,
    "describe_db_log_files": describe_db_log_files,
    "download_db_log_file_portion": download_db_log_file_portion,
}


def _instance(response: RDSResponse) -> DBInstance:
    identifier = response.params.get("DBInstanceIdentifier")
    found: DBInstance | None = response.backend.databases.get(identifier)
    if found is None:
        raise DBInstanceNotFoundError(identifier)
    return found


def _instant(given: Any) -> datetime | None:
    if given is None or isinstance(given, datetime):
        return _aware(given) if given else None
    return _aware(datetime.fromisoformat(str(given)))


def _aware(moment_: datetime) -> datetime:
    return moment_ if moment_.tzinfo else moment_.replace(tzinfo=UTC)
