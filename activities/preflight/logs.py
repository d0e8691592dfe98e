"""Whether logs are written as the environment's file declares, and what AWS itself writes is understood, by samples.

No line leaves this module: only how many were read, and why the first of the others was not.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import islice
from typing import Any

from activities.action import iam
from activities.aws.database.described_database import instance_name
from activities.aws.database.postgres_log_files import is_of, records
from activities.aws.identity.rights_events import read_event
from activities.aws.network.ec2_flow_logs import is_active, listed, log_group
from activities.aws.network.flow_lines import Format
from activities.aws.network.wafv2_requests import read_request
from activities.aws.shared.log_records import described, events, only_queried
from activities.aws.shared.pages import Pages
from activities.aws.shared.windows import Window
from activities.preflight.check import Check, Room, Verdict, missing, named, ok, unknown, wrong
from activities.preflight.places import each, under
from activities.preflight.waf import web_acls
from domain.config.environment import Database, Network, Service
from domain.rules.log_lines import Line, Unread, first_read, read_line
from domain.rules.tracebacks import orphans

_SAMPLE = 50
_RECENT = timedelta(hours=24)
_UNREAD = Unread("no probe reads such records")
_ORPHAN = Unread("it belongs to a traceback, and none has begun in what was read")
_OF_AWS = "tell whoever maintains these"
"""What helps where records of AWS's own are not read."""


def judged(sample: Iterable[object], where: str, remedy: str) -> Verdict:
    """How many lines of a sample are `Unread`, and why the first is; of an empty sample nothing is known."""
    seen = list(sample)
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
    logs = room.client("logs")
    if only_queried(described(logs, one.log_group) or {}):
        return unknown(
            "its class is Infrequent Access, which preflight does not read, as queries cost; compare "
            f"{_SAMPLE} lines with log_formats in Logs Insights: fields @message | limit {_SAMPLE}"
        )
    sample = list(_sample(room, logs, one.log_group))
    read = [first_read(one.log_formats, event["message"]) for event in sample]
    parts = [None if isinstance(line, Unread) else line.part for line in read]
    lost = orphans((part, event["logStreamName"], 1) for part, event in zip(parts, sample, strict=True))
    read = [_ORPHAN if none else line for line, none in zip(read, lost, strict=True)]
    return judged(read, f"{one.log_group} for a day", "mend log_formats")


def database_log(room: Room, one: Database) -> Verdict:
    """The end of a database's newest log, by its format (`rds:DescribeDBLogFiles`, `DownloadDBLogFilePortion`)."""
    declared = one.log
    if declared is None:
        return missing("no format is declared, so no probe reads it; write log")
    rds = room.client("rds")
    name = instance_name(room.clients, one)
    files = Pages(rds.describe_db_log_files, cursor="Marker", DBInstanceIdentifier=name).items("DescribeDBLogFiles")
    named = [file for file in files if is_of(declared, file["LogFileName"])]
    if not named:
        return unknown(f"RDS lists no log of format {declared.format}; look again when something was written")
    newest = max(named, key=lambda file: int(file["LastWritten"]))["LogFileName"]
    # RDS API DownloadDBLogFilePortion: without a marker these are the last lines
    portion = rds.download_db_log_file_portion(DBInstanceIdentifier=name, LogFileName=newest, NumberOfLines=_SAMPLE)
    lines = records(iter((portion.get("LogFileData") or "").split("\n")), declared)
    seen = [read_line(declared, line) for line in lines]
    if declared.format == "csvlog":  # the last lines may begin within a row
        seen = seen[next((number for number, one in enumerate(seen) if isinstance(one, Line)), 0) :]
    return judged(seen, newest, "mend log: prefix, zone and severities")


def flow_log(room: Room, one: Network) -> Verdict:
    """A VPC has an active flow log, of all traffic, where the file says (`ec2:DescribeFlowLogs`)."""
    active = [log for log in listed(room.client("ec2"), one.vpc_id) if log["FlowLogStatus"] == "ACTIVE"]
    if not active:
        return missing("no flow log is active; make one")
    faults = [fault for log in active if (fault := _flow_fault(log, one.flow_log_group))]
    return ok("active") if len(faults) < len(active) else wrong(faults[0])


def _flow_fault(log: dict[str, Any], group: str | None) -> str | None:
    if log.get("DeliverLogsStatus") == "FAILED":
        return f"its delivery fails: {log.get('DeliverLogsErrorMessage', 'no reason is given')}"
    if group is not None and log_group(log) != group:
        return f"it goes to {log_group(log)}, not to {group}"
    if log.get("TrafficType") == "ACCEPT":
        return "it takes accepted traffic alone; make one of all"
    return None


def waf_record(room: Room, name: str) -> Verdict:
    """A day's sample of a web ACL's log, as `wafv2.requests` reads it (`logs:DescribeLogGroups`, `FilterLogEvents`)."""
    one = room.environment.web_acls[name]
    logs = room.client("logs" if one.scope == "REGIONAL" else f"logs@{room.environment.home_region}")
    return _of_group(room, logs, one.log_group, read_request)


def flow_record(room: Room, one: Network) -> Verdict:
    """A day's sample of a VPC's flow log, as `ec2.flow_traffic` reads it, and what its format lacks.

    `ec2:DescribeFlowLogs`, `logs:DescribeLogGroups`, `FilterLogEvents`.
    """
    kept = [log for log in listed(room.client("ec2"), one.vpc_id) if is_active(log)]
    found = [Format(log) for log in kept if log_group(log) == one.flow_log_group]
    if not found:
        return missing(f"no active flow log goes to {one.flow_log_group}; make one")
    form = min(found, key=lambda each: len(each.lacks))
    if form.lacks:
        return wrong(f"its format lacks {', '.join(form.lacks)}; make a flow log with these fields")
    group = str(one.flow_log_group)
    return _of_group(room, room.client("logs"), group, lambda line: any(each.read(line) for each in found))


def trail_record(room: Room, _: str) -> Verdict:
    """The latest events of the history, as `cloudtrail.privilege_changes` reads them (`cloudtrail:LookupEvents`)."""
    found = room.client("cloudtrail").lookup_events(MaxResults=_SAMPLE)["Events"]
    return judged(map(_event, found), "CloudTrail's event history", _OF_AWS)


def _event(event: dict[str, Any]) -> object:
    try:
        return read_event(event) or _UNREAD
    except ValueError:
        return _UNREAD


def _of_group(room: Room, logs: Any, group: str, read: Callable[[str], object]) -> Verdict:
    if only_queried(described(logs, group) or {}):
        return wrong("its class is Infrequent Access, which no probe of it reads; make a group of the class Standard")
    return judged((read(line) or _UNREAD for line in _lines(room, logs, group)), f"{group} for a day", _OF_AWS)


def _lines(room: Room, logs: Any, group: str) -> Iterable[str]:
    return (event["message"] for event in _sample(room, logs, group))


def _sample(room: Room, logs: Any, group: str) -> Iterable[dict[str, Any]]:
    pages = events(logs, group, "", Window.before(room.now(), _RECENT))
    return islice(pages.items("events"), _SAMPLE)


CHECKS: tuple[Check[Any], ...] = (
    named("log format", under("services"), service_log, iam("logs:DescribeLogGroups FilterLogEvents")),
    named(
        "database log",
        under("databases"),
        database_log,
        iam("rds:DescribeDBClusters DescribeDBInstances DescribeDBLogFiles DownloadDBLogFilePortion"),
    ),
    named("flow log", under("networks"), flow_log, iam("ec2:DescribeFlowLogs")),
    named("WAF record", web_acls, waf_record, iam("logs:DescribeLogGroups FilterLogEvents")),
    named(
        "flow record",
        each(lambda e: {f"networks.{name}": one if one.flow_log_group else None for name, one in e.networks.items()}),
        flow_record,
        iam("ec2:DescribeFlowLogs", "logs:DescribeLogGroups FilterLogEvents"),
    ),
    named("trail record", under("trails"), trail_record, iam("cloudtrail:LookupEvents")),
)
