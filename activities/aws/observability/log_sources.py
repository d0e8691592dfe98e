"""What can log more: a web ACL, a network, a log group. Each is read and set by itself."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol

from activities.action import Clients, RuleError
from activities.aws.network.ec2_flow_logs import destination, listed
from activities.aws.shared.error_codes import is_already
from activities.aws.shared.log_records import described
from activities.aws.shared.pieces import Piece

_TOKENS = 5
_GONE = "InvalidFlowLogId.NotFound"
_REDACTED = [{"SingleHeader": {"Name": name}} for name in ("authorization", "cookie")]


class LogSource(Piece, Protocol):
    """One source; its value says where or how long it logs."""

    name: str

    def wanted(self, standing: Any) -> Any:
        """The value that it shall have, given the one it has."""


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
        self._ours = f"arn:{clients.client('ec2').meta.partition}:s3:::{bucket}"
        self._incident = incident

    def read(self) -> Any:
        """`ec2:DescribeFlowLogs`; ours comes before any other."""
        active = [destination(log) for log in self._listed() if log.get("FlowLogStatus") == "ACTIVE"]
        return self._ours if self._ours in active else next(iter(sorted(active)), None)

    def wanted(self, standing: Any) -> Any:
        return standing or self._ours

    def set(self, value: Any) -> None:
        """Create the flow log, once under its token, or delete it (`ec2:CreateFlowLogs`, `ec2:DeleteFlowLogs`)."""
        if value is not None:
            self._create()
        elif ours := [log["FlowLogId"] for log in self._listed() if destination(log) == self._ours]:
            answer = self._clients.once("ec2").delete_flow_logs(FlowLogIds=ours)
            for failed in answer.get("Unsuccessful", []):
                if failed["Error"]["Code"] != _GONE:
                    raise RuleError(f"EC2 deletes no flow log to {self._ours}: {failed['Error']['Code']}")

    def _listed(self) -> Iterator[dict[str, Any]]:
        return listed(self._clients.client("ec2"), self._vpc)

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


class Retention:
    """How many days a log group keeps its lines; null is for ever."""

    def __init__(self, clients: Clients, group: str, days: int) -> None:
        self.name = f"days of {group}"
        self._clients = clients
        self._group = group
        self._days = days

    def read(self) -> Any:
        return (described(self._clients.client("logs"), self._group) or {}).get("retentionInDays")

    def wanted(self, standing: Any) -> Any:
        return None if standing is None else max(standing, self._days)

    def set(self, value: Any) -> None:
        """`logs:PutRetentionPolicy`; one that keeps for ever is never set."""
        self._clients.client("logs").put_retention_policy(logGroupName=self._group, retentionInDays=value)
