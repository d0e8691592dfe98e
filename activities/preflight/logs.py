"""Whether logs are written as the environment's file declares: a sample of each, read by the declared format.

No line leaves this module: only how many were read, and why the first of the others was not.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import islice
from typing import Any

from activities.action import iam
from activities.aws.database.described_database import instance_name
from activities.aws.database.postgres_log_files import is_of, records
from activities.aws.shared.log_records import described, only_queried
from activities.preflight.check import Check, Room, Verdict, missing, named, ok, unknown, wrong
from activities.preflight.places import each, under
from domain.config.environment import Database, Network, Service
from domain.rules.log_lines import Line, Unread, first_read, read_line

SAMPLE = 50
RECENT = timedelta(hours=24)


def judged(lines: Iterable[str], read: Callable[[str], Line | Unread], where: str, remedy: str) -> Verdict:
    """How many lines of a sample its format reads; of an empty sample nothing is known."""
    seen = [read(line) for line in islice(lines, SAMPLE)]
    lost = [one.why for one in seen if isinstance(one, Unread)]
    if not seen:
        return unknown(f"nothing was written to {where}: look again when something was")
    if lost:
        return wrong(f"{len(lost)} of {len(seen)} lines are not read: {lost[0]}; {remedy}")
    return ok(f"{len(seen)} of {len(seen)} lines are read")


def service_log(room: Room, one: Service) -> Verdict:
    """A day's sample of a service's log, by its formats in order (`logs:DescribeLogGroups`, `FilterLogEvents`)."""
    if not one.log_formats:
        return missing("no format is declared, so no probe reads it; write log_formats")
    if only_queried(described(room.client("logs"), one.log_group) or {}):
        return unknown(
            "its class is Infrequent Access, which preflight does not read, as queries cost; compare "
            f"{SAMPLE} lines with log_formats in Logs Insights: fields @message | limit {SAMPLE}"
        )
    lines = (event["message"] for event in _events(room, one.log_group))
    return judged(
        lines, lambda line: first_read(one.log_formats, line), f"{one.log_group} for a day", "mend log_formats"
    )


def database_log(room: Room, one: Database) -> Verdict:
    """The end of a database's newest log, by its format (`rds:DescribeDBLogFiles`, `DownloadDBLogFilePortion`)."""
    declared = one.log
    if declared is None:
        return missing("no format is declared, so no probe reads it; write log")
    rds = room.client("rds")
    name = instance_name(room.clients, one)
    pages = rds.get_paginator("describe_db_log_files").paginate(DBInstanceIdentifier=name)
    files = [file for page in pages for file in page["DescribeDBLogFiles"]]
    named = [file for file in files if is_of(declared, file["LogFileName"])]
    if not named:
        return unknown(f"RDS lists no log of format {declared.format}; look again when something was written")
    newest = max(named, key=lambda file: int(file["LastWritten"]))["LogFileName"]
    # RDS API DownloadDBLogFilePortion: without a marker these are the last lines
    portion = rds.download_db_log_file_portion(DBInstanceIdentifier=name, LogFileName=newest, NumberOfLines=SAMPLE)
    lines = records(iter((portion.get("LogFileData") or "").split("\n")), declared)
    return judged(lines, lambda line: read_line(declared, line), newest, "mend log: prefix, zone and severities")


def flow_log(room: Room, one: Network) -> Verdict:
    """A VPC has an active flow log, of all traffic, where the file says (`ec2:DescribeFlowLogs`)."""
    asked = [{"Name": "resource-id", "Values": [one.vpc_id]}]
    found = room.client("ec2").describe_flow_logs(Filters=asked)["FlowLogs"]
    active = [log for log in found if log["FlowLogStatus"] == "ACTIVE"]
    if not active:
        return missing("no flow log is active; make one")
    faults = [fault for log in active if (fault := _flow_fault(log, one.flow_log_group))]
    return ok("active") if len(faults) < len(active) else wrong(faults[0])


def _flow_fault(log: dict[str, Any], group: str | None) -> str | None:
    if log.get("DeliverLogsStatus") == "FAILED":
        return f"its delivery fails: {log.get('DeliverLogsErrorMessage', 'no reason is given')}"
    if group is not None and log.get("LogGroupName") != group:
        return f"it goes to {log.get('LogGroupName') or log.get('LogDestination')}, not to {group}"
    if log.get("TrafficType") == "ACCEPT":
        return "it takes accepted traffic alone; make one of all"
    return None


def _events(room: Room, group: str) -> Iterable[dict[str, Any]]:
    end = room.now()
    start = end - RECENT
    pages = room.client("logs").get_paginator("filter_log_events")
    within = {name: int(at.timestamp() * 1000) for name, at in (("startTime", start), ("endTime", end))}
    for page in pages.paginate(logGroupName=group, **within, PaginationConfig={"MaxItems": SAMPLE}):
        yield from page["events"]


CHECKS: tuple[Check[Any], ...] = (
    named("log format", under("services"), service_log, iam("logs:DescribeLogGroups FilterLogEvents")),
    named(
        "database log",
        under("databases"),
        database_log,
        iam("rds:DescribeDBClusters DescribeDBInstances DescribeDBLogFiles DownloadDBLogFilePortion"),
    ),
    named(
        "flow log",
        each(lambda e: {f"networks.{name}": one for name, one in e.networks.items()}),
        flow_log,
        iam("ec2:DescribeFlowLogs"),
    ),
)
