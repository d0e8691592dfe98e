"""Whether what AWS itself writes is understood: recent records of WAF, flow logs and CloudTrail, read as probes do.

No record leaves this module: only how many were read.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from activities.action import iam
from activities.aws.identity.rights_events import read_event
from activities.aws.network.ec2_flow_logs import is_active, listed, log_group
from activities.aws.network.flow_lines import Format
from activities.aws.network.wafv2_requests import read_request
from activities.aws.shared.log_records import described, events, only_queried
from activities.aws.shared.windows import Window
from activities.preflight.check import Check, Room, Verdict, missing, named, ok, unknown, wrong
from activities.preflight.logs import RECENT, SAMPLE
from activities.preflight.places import each, under
from activities.preflight.waf import web_acls
from domain.config.environment import Network

_MOST_PAGES = 20
_HELP = "no probe reads such records: tell whoever maintains these"


def waf_record(room: Room, name: str) -> Verdict:
    """A day's sample of a web ACL's log, as `wafv2.requests` reads it (`logs:DescribeLogGroups`, `FilterLogEvents`)."""
    one = room.environment.web_acls[name]
    logs = room.client("logs" if one.scope == "REGIONAL" else f"logs@{room.environment.home_region}")
    return _of_group(room, logs, one.log_group, lambda line: read_request(line) is not None)


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
    found = room.client("cloudtrail").lookup_events(MaxResults=SAMPLE)["Events"]
    return _told("CloudTrail's event history", [_is_read(event) for event in found])


def _is_read(event: dict[str, Any]) -> bool:
    try:
        return bool(read_event(event))
    except ValueError:
        return False


def _of_group(room: Room, logs: Any, group: str, read: Any) -> Verdict:
    if only_queried(described(logs, group) or {}):
        return wrong("its class is Infrequent Access, which no probe of it reads; make a group of the class Standard")
    return _told(f"{group} for a day", [read(line) for line in _lines(room, logs, group)])


def _lines(room: Room, logs: Any, group: str) -> Iterator[str]:
    pages = events(logs, group, "", Window.before(room.now(), RECENT), _MOST_PAGES)
    return (event["message"] for event in islice(pages.items("events"), SAMPLE))


def _told(where: str, seen: list[bool]) -> Verdict:
    if not seen:
        return unknown(f"nothing was written to {where}: look again when something was")
    if not all(seen):
        return wrong(f"{seen.count(False)} of {len(seen)} records are not understood; {_HELP}")
    return ok(f"{len(seen)} of {len(seen)} records are understood")


CHECKS: tuple[Check[Any], ...] = (
    named("WAF record", web_acls, waf_record, iam("logs:DescribeLogGroups FilterLogEvents")),
    named(
        "flow record",
        each(lambda e: {f"networks.{name}": one if one.flow_log_group else None for name, one in e.networks.items()}),
        flow_record,
        iam("ec2:DescribeFlowLogs", "logs:DescribeLogGroups FilterLogEvents"),
    ),
    named("trail record", under("trails"), trail_record, iam("cloudtrail:LookupEvents")),
)
