"""Tell what a network let through and what it refused, as its flow logs have it."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import NetworkName, Params, ProbeAction, iam
from activities.aws.network.ec2_flow_logs import destination, is_active, listed
from activities.aws.network.flow_lines import Verdict, inside, skipped
from activities.aws.shared.findings import suspect_if, unknown
from activities.aws.shared.windows import Window
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_PAGES_REFUSED = 50
_PAGES_LET = 5  # most of the traffic, and tells the least
_PORTS = 5


class FlowTrafficParams(Params):
    """Suspect when the network refused at least `threshold` flows between addresses of its own."""

    network: NetworkName
    window: Duration = Field(default=timedelta(hours=1), gt=timedelta(0))
    threshold: int = Field(default=10, ge=1)


class FlowTraffic(ProbeAction[FlowTrafficParams]):
    """Counts the flows that a VPC let through and refused over `window` up to `at`.

    What it refused between its own addresses is what a security group or a network ACL keeps from working; what it
    refused from outside is ordinary. Ports are named, addresses are not. Flow logs that go to CloudWatch Logs are read,
    50 pages of what was refused, 50 of what AWS left out and 5 of the rest at most; those that go elsewhere are named
    and not read: then it is unknown, as it is where AWS left records out, or may have, or the format does not say what
    was refused between whom. A flow stands there up to a quarter of an hour later.
    """

    name = "ec2.flow_traffic"
    permissions = iam("ec2:DescribeFlowLogs DescribeVpcs", "logs:DescribeLogGroups FilterLogEvents")

    def observe(self, scope: Scope, params: FlowTrafficParams, at: datetime) -> Finding:
        vpc = scope.environment.networks[params.network].vpc_id
        ec2 = self.clients.client("ec2")
        active = [log for log in listed(ec2, vpc) if is_active(log)]
        readable = [log for log in active if log.get("LogDestinationType", "cloud-watch-logs") == "cloud-watch-logs"]
        elsewhere = sorted({destination(log) for log in active if log not in readable})
        facts: dict[str, Any] = {"network": params.network, "vpc": vpc, "elsewhere": elsewhere}
        if not readable:
            where = f"lies in {', '.join(elsewhere)}, to be looked up there" if elsewhere else "is recorded nowhere"
            return unknown(f"{params.network} ({vpc}): its traffic {where}", facts, next(iter(elsewhere), None))
        refused, let = Verdict("REJECT", readable), Verdict("ACCEPT", readable)
        own, window, logs = inside(ec2, vpc), Window.before(at, params.window), self.clients.client("logs")
        refused.read(logs, own, window, _PAGES_REFUSED)
        let.read(logs, own, window, _PAGES_LET)
        since = refused.since(logs, window)
        gaps, more_gaps = skipped(logs, refused.source, window, _PAGES_REFUSED) if refused.source else (0, False)
        groups = sorted({destination(one.source) for one in (refused, let) if one.source})
        return suspect_if(
            refused.ports.total() >= params.threshold,
            f"{params.network} ({vpc}): of the flows of the last {spoken(params.window)}, "
            f"{let.describe('let through')} and {refused.describe('refused')}; {_between(refused.ports)}"
            + _unread(refused.unread + let.unread, gaps, refused.lacks, since, more_gaps=more_gaps),
            {
                **facts,
                "log_groups": groups,
                "accepted": let.count if let.source else None,
                "rejected": refused.count if refused.source else None,
                "rejected_inside": refused.ports.total(),
                "rejected_inside_by_port": {str(port): count for port, count in refused.ports.most_common(_PORTS)},
                "truncated": refused.truncated or let.truncated or more_gaps,
                "unread": refused.unread + let.unread + gaps,
                "lacks": refused.lacks,
                "kept_since": stamp_to_second(since),
                **window.facts(),
            },
            window.of(", ".join(groups)),
            # nothing suspect is no proof where refusals are not recorded or not all read, or nothing is written at all
            unsure=refused.source is None
            or refused.truncated
            or refused.unread
            or gaps
            or more_gaps
            or refused.lacks
            or since
            or not (refused.count or let.count),
        )


def _unread(lines: int, gaps: int, lacks: list[str], since: datetime | None, *, more_gaps: bool) -> str:
    """What was not seen."""
    parts = [f"its format lacks {', '.join(lacks)}"] if lacks else []
    parts += [f"it has none from before {short_time(since)}"] if since else []
    parts += [f"AWS left records out {gaps} times"] if gaps else []
    parts += ["where AWS left records out was not read to the end"] if more_gaps else []
    parts += [f"{lines} lines could not be read"] if lines else []
    return "".join(f"; {part}" for part in parts)


def _between(ports: Counter[int]) -> str:
    if not ports:
        return "none refused between its own addresses"
    named = ", ".join(f"{count} to port {port}" for port, count in ports.most_common(_PORTS))
    return f"refused between its own addresses: {named}"
