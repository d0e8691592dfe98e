"""Tell what a network let through and what it refused, as its flow logs have it."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import NetworkName, Params, ProbeAction, iam
from activities.aws.network.ec2_flow_logs import destination, is_active, listed
from activities.aws.network.flow_lines import Flow, Flows, Inside
from activities.aws.shared.findings import unknown
from activities.aws.shared.windows import Window
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.durations import Duration, spoken

_PAGES = {"REJECT": 50, "ACCEPT": 5}
"""How much is read of each: what was let through is most of the traffic, and tells the least."""
_PORTS = 5


class FlowTrafficParams(Params):
    """Suspect when the network refused at least `threshold` flows between addresses of its own."""

    network: NetworkName
    window: Duration = Field(default=timedelta(hours=1), gt=timedelta(0))
    threshold: int = Field(default=10, ge=1)


class _Verdict:
    """The flows of a window that met one end; `source` is the flow log that holds them, if CloudWatch Logs does."""

    def __init__(self, action: str, logs: list[dict[str, Any]]) -> None:
        self.action = action
        self.source = next((log for log in logs if log.get("TrafficType") in {"ALL", action}), None)
        self.count = 0
        self.ports: Counter[int] = Counter()
        self.truncated = False

    def take(self, flow: Flow, inside: Inside) -> None:
        self.count += 1
        if inside.holds(flow.source) and inside.holds(flow.target):
            self.ports[flow.port] += 1

    def describe(self, verb: str) -> str:
        if self.source is None:
            return f"none on record that was {verb}"
        return f"{'at least ' if self.truncated else ''}{self.count} {verb}"


class FlowTraffic(ProbeAction[FlowTrafficParams]):
    """Counts the flows that a VPC let through and refused over `window` up to `at`.

    What it refused between its own addresses is what a security group or a network ACL keeps from working; what it
    refused from outside is ordinary. Ports are named, addresses are not. Flow logs that go to CloudWatch Logs are read,
    50 pages of what was refused and 5 of the rest at most; those that go elsewhere are named and not read: then it is
    unknown. A flow stands there up to a quarter of an hour later.
    """

    name = "ec2.flow_traffic"
    permissions = iam("ec2:DescribeFlowLogs DescribeVpcs", "logs:FilterLogEvents")

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
        refused, let = _Verdict("REJECT", readable), _Verdict("ACCEPT", readable)
        inside, window = Inside.of(ec2, vpc), Window.before(at, params.window)
        for verdict in (refused, let):
            self._read(verdict, inside, window)
        return _finding(params, vpc, (refused, let), facts, window)

    def _read(self, verdict: _Verdict, inside: Inside, window: Window) -> None:
        if verdict.source is None:
            return
        logs = self.clients.client("logs")
        found = Flows(logs, verdict.source, verdict.action, window, _PAGES[verdict.action])
        for flow in found:
            verdict.take(flow, inside)
        verdict.truncated = found.truncated


def _finding(
    params: FlowTrafficParams,
    vpc: str,
    verdicts: tuple[_Verdict, _Verdict],
    facts: dict[str, Any],
    window: Window,
) -> Finding:
    refused, let = verdicts
    between = refused.ports.total()
    counted = f"{let.describe('let through')} and {refused.describe('refused')}"
    groups = sorted({destination(one.source) for one in verdicts if one.source})
    return Finding(
        status=_status(params, refused, let),
        summary=(
            f"{params.network} ({vpc}): of the flows of the last {spoken(params.window)}, {counted}; "
            f"{_between(refused.ports)}"
        ),
        facts={
            **facts,
            "log_groups": groups,
            "accepted": let.count if let.source else None,
            "rejected": refused.count if refused.source else None,
            "rejected_inside": between,
            "rejected_inside_by_port": {str(port): count for port, count in refused.ports.most_common(_PORTS)},
            "truncated": refused.truncated or let.truncated,
            **window.facts(),
        },
        evidence=window.of(", ".join(groups)),
    )


def _status(params: FlowTrafficParams, refused: _Verdict, let: _Verdict) -> FindingStatus:
    """Nothing suspect is no proof where refusals are not recorded or not all read, or nothing is written at all."""
    if refused.ports.total() >= params.threshold:
        return FindingStatus.SUSPECT
    silent = not refused.count and not let.count
    return FindingStatus.UNKNOWN if silent or refused.source is None or refused.truncated else FindingStatus.OK


def _between(ports: Counter[int]) -> str:
    if not ports:
        return "none refused between its own addresses"
    named = ", ".join(f"{count} to port {port}" for port, count in ports.most_common(_PORTS))
    return f"refused between its own addresses: {named}"
