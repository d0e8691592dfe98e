"""Tell whether a network keeps flow logs, and where they go."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from activities.action import NetworkName, Params, ProbeAction, iam
from activities.aws.shared.findings import suspect_if
from activities.aws.shared.pages import Pages
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.timestamps import stamp_to_second


class FlowLogsParams(Params):
    network: NetworkName


class FlowLogs(ProbeAction[FlowLogsParams]):
    """Lists the flow logs of a VPC: their configuration, not the traffic.

    Suspect when none is active and delivers. A flow log holds nothing from before it was created.
    """

    name = "ec2.flow_logs"
    permissions = iam("ec2:DescribeFlowLogs")

    def observe(self, scope: Scope, params: FlowLogsParams, at: datetime) -> Finding:
        vpc = scope.environment.networks[params.network].vpc_id
        logs = [_facts(log) for log in listed(self.clients.client("ec2"), vpc)]
        active = next((log["destination"] for log in logs if log["active"]), None)
        facts = {"network": params.network, "vpc": vpc, "flow_logs": logs}
        return suspect_if(active is None, f"{params.network} ({vpc}): {_describe(logs)}", facts, active)


def listed(ec2: Any, vpc: str) -> Iterator[dict[str, Any]]:
    """List the flow logs of a VPC, every page of them (`ec2:DescribeFlowLogs`)."""
    # EC2 knows no resource-type filter here; the id alone names the VPC
    return Pages(ec2.describe_flow_logs, Filters=[{"Name": "resource-id", "Values": [vpc]}]).items("FlowLogs")


def is_active(log: dict[str, Any]) -> bool:
    return log.get("FlowLogStatus") == "ACTIVE" and log.get("DeliverLogsStatus") != "FAILED"


def destination(log: dict[str, Any]) -> str:
    """Where a flow log goes: the ARN of a bucket or a stream, or a log group."""
    return str(log.get("LogDestination") or log.get("LogGroupName") or "nowhere")


def log_group(log: dict[str, Any]) -> str:
    """Name the log group of a flow log that goes to CloudWatch Logs, which may be known by its ARN alone."""
    return str(log.get("LogGroupName") or destination(log).split(":log-group:")[-1].removesuffix(":*"))


def _facts(log: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": log["FlowLogId"],
        "active": is_active(log),
        "status": log.get("FlowLogStatus"),
        "delivery": log.get("DeliverLogsStatus"),
        "traffic": log.get("TrafficType"),
        "destination_type": log.get("LogDestinationType", "cloud-watch-logs"),
        "destination": destination(log),
        "created_at": stamp_to_second(log.get("CreationTime")),
    }


def _describe(logs: list[dict[str, Any]]) -> str:
    if not logs:
        return "no flow log is kept, so its traffic cannot be looked up"
    active = [log for log in logs if log["active"]]
    if not active:
        return f"none of its {len(logs)} flow logs delivers, so recent traffic cannot be looked up"
    where = "; ".join(
        f"{log['traffic']} traffic goes to {log['destination_type']} {log['destination']}"
        + (f" since {log['created_at']}" if log["created_at"] else "")
        for log in active
    )
    broken = len(logs) - len(active)
    return f"{where}; {broken} more do not deliver" if broken else where
