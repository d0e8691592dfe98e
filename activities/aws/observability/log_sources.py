"""What can log more: a web ACL, a network, a log group. Each is read and set by itself."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol

from activities.action import Clients, RuleError
from activities.aws.shared.error_codes import is_already

_TOKENS = 5
_GONE = "InvalidFlowLogId.NotFound"
_REDACTED = [{"SingleHeader": {"Name": name}} for name in ("authorization", "cookie")]


class LogSource(Protocol):
    """One source; its value says where or how long it logs."""

    name: str

    def read(self) -> Any:
        """Read the value as it stands."""

    def wanted(self, standing: Any) -> Any:
        """The value that it shall have, given the one it has."""

    def set(self, value: Any) -> None:
        """Set the value, or put the earlier one back."""


class WebAclLog:
    """Where a web ACL logs its requests to; null while it does not."""

    def __init__(self, clients: Clients, acl: str, destination: str) -> None:
        self.name = f"requests of {acl.split('/')[-2]}"
        self._clients = clients
        self._acl = acl
        self._destination = destination

    def read(self) -> Any:
        """`wafv2:GetLoggingConfiguration`."""
        wafv2 = self._clients.client("wafv2")
        try:
            found = wafv2.get_logging_configuration(ResourceArn=self._acl)["LoggingConfiguration"]
        except wafv2.exceptions.WAFNonexistentItemException:
            return None
        return ", ".join(found["LogDestinationConfigs"])

    def wanted(self, standing: Any) -> Any:
        return standing or self._destination

    def set(self, value: Any) -> None:
        """`wafv2:PutLoggingConfiguration` is absolute; tokens and cookies stay out of the log."""
        wafv2 = self._clients.client("wafv2")
        if value is None:
            # none there: it is gone already, which is all that is asked
            with suppress(wafv2.exceptions.WAFNonexistentItemException):
                wafv2.delete_logging_configuration(ResourceArn=self._acl)
            return
        wafv2.put_logging_configuration(
            LoggingConfiguration={
                "ResourceArn": self._acl,
                "LogDestinationConfigs": [value],
                "RedactedFields": _REDACTED,
            }
        )


class FlowLog:
    """Where the flow logs of a VPC go; null while none is active."""

    def __init__(self, clients: Clients, vpc: str, bucket: str, incident: str) -> None:
        self.name = f"flows of {vpc}"
        self._clients = clients
        self._vpc = vpc
        self._ours = f"arn:aws:s3:::{bucket}"
        self._incident = incident

    def read(self) -> Any:
        """`ec2:DescribeFlowLogs`; ours is told before any other."""
        active = [_destination(log) for log in self._listed() if log.get("FlowLogStatus") == "ACTIVE"]
        return self._ours if self._ours in active else next(iter(sorted(active)), None)

    def wanted(self, standing: Any) -> Any:
        return standing or self._ours

    def set(self, value: Any) -> None:
        """Create the flow log, once under its token, or delete it (`ec2:CreateFlowLogs`, `ec2:DeleteFlowLogs`)."""
        if value is not None:
            self._create()
        elif ours := [log["FlowLogId"] for log in self._listed() if _destination(log) == self._ours]:
            answer = self._clients.once("ec2").delete_flow_logs(FlowLogIds=ours)
            for failed in answer.get("Unsuccessful", []):
                if failed["Error"]["Code"] != _GONE:
                    raise RuleError(f"EC2 deletes no flow log to {self._ours}: {failed['Error']['Code']}")

    def _create(self) -> None:
        """EC2 answers a token that it knows with the flow log made then, though deleted since: take the next one.

        One of the same destination is never made twice, whatever the token.
        """
        ec2 = self._clients.client("ec2")
        for number in range(_TOKENS):
            try:
                answer = ec2.create_flow_logs(
                    ClientToken=f"{self._incident}-{self._vpc}-{number}",
                    ResourceType="VPC",
                    ResourceIds=[self._vpc],
                    TrafficType="ALL",
                    LogDestinationType="s3",
                    LogDestination=self._ours,
                )
            except ec2.exceptions.ClientError as error:
                if not is_already(error) or self.read() != self._ours:
                    raise
                return
            for failed in answer.get("Unsuccessful", []):
                raise RuleError(f"EC2 creates no flow log to {self._ours}: {failed['Error']['Code']}")
            if self.read() == self._ours:
                return

    def _listed(self) -> Iterator[dict[str, Any]]:
        ec2 = self._clients.client("ec2")
        ask: dict[str, Any] = {"Filters": [{"Name": "resource-id", "Values": [self._vpc]}]}
        page = ec2.describe_flow_logs(**ask)
        while True:
            yield from page["FlowLogs"]
            if not page.get("NextToken"):
                return
            page = ec2.describe_flow_logs(**ask, NextToken=page["NextToken"])


class Retention:
    """How many days a log group keeps its lines; null is for ever."""

    def __init__(self, clients: Clients, group: str, days: int) -> None:
        self.name = f"days of {group}"
        self._clients = clients
        self._group = group
        self._days = days

    @staticmethod
    def found(logs: Any, group: str) -> dict[str, Any] | None:
        """Describe a log group; None when there is none (`logs:DescribeLogGroups`)."""
        page = logs.describe_log_groups(logGroupNamePrefix=group)
        while True:
            for one in page["logGroups"]:
                if one["logGroupName"] == group:
                    return dict(one)
            if not page.get("nextToken"):
                return None
            page = logs.describe_log_groups(logGroupNamePrefix=group, nextToken=page["nextToken"])

    def read(self) -> Any:
        return (self.found(self._clients.client("logs"), self._group) or {}).get("retentionInDays")

    def wanted(self, standing: Any) -> Any:
        return None if standing is None else max(standing, self._days)

    def set(self, value: Any) -> None:
        """`logs:PutRetentionPolicy`; one that keeps for ever is never set."""
        self._clients.client("logs").put_retention_policy(logGroupName=self._group, retentionInDays=value)


def _destination(log: dict[str, Any]) -> str:
    return str(log.get("LogDestination") or log.get("LogGroupName"))
