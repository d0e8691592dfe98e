"""What can log more: a web ACL, a network, a log group. Each is read and set by itself."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from activities.action import Clients, RuleError
from activities.aws.network.ec2_flow_logs import destination, is_active, listed
from activities.aws.shared.error_codes import is_already
from activities.aws.shared.log_records import described
from activities.aws.shared.pieces import Piece

_TOKENS = 5
_GONE = "InvalidFlowLogId.NotFound"
_REDACTED = [{"SingleHeader": {"Name": name}} for name in ("authorization", "cookie")]


@dataclass
class LogSource(Piece):
    """What logs at a `place`; its value says where to, or how long lines are kept, and `aim` is what that shall be."""

    clients: Clients
    name: str
    place: str
    aim: Any

    def wanted(self, standing: Any) -> Any:
        """The value that it shall have, given the one it has."""
        return standing or self.aim


class WebAclLog(LogSource):
    """Where a web ACL logs its requests to; null while it does not."""

    def read(self) -> Any:
        """`wafv2:GetLoggingConfiguration`."""
        wafv2 = self.clients.client("wafv2")
        try:
            found = wafv2.get_logging_configuration(ResourceArn=self.place)["LoggingConfiguration"]
        except wafv2.exceptions.WAFNonexistentItemException:
            return None
        return ", ".join(found["LogDestinationConfigs"])

    def set(self, value: Any) -> None:
        """`wafv2:PutLoggingConfiguration` is absolute; tokens and cookies stay out of the log."""
        wafv2 = self.clients.client("wafv2")
        if value is None:
            # none there: it is gone already, which is all that is asked
            with suppress(wafv2.exceptions.WAFNonexistentItemException):
                wafv2.delete_logging_configuration(ResourceArn=self.place)
            return
        wafv2.put_logging_configuration(
            LoggingConfiguration={
                "ResourceArn": self.place,
                "LogDestinationConfigs": [value],
                "RedactedFields": _REDACTED,
            }
        )


@dataclass
class FlowLog(LogSource):
    """Where the flow logs of a VPC go; null while none is active and delivers."""

    incident: str

    def read(self) -> Any:
        """`ec2:DescribeFlowLogs`; ours comes before any other."""
        active = [destination(log) for log in self._listed() if is_active(log)]
        return self.aim if self.aim in active else next(iter(sorted(active)), None)

    def set(self, value: Any) -> None:
        """Create the flow log, once under its token, or delete it (`ec2:CreateFlowLogs`, `ec2:DeleteFlowLogs`)."""
        if value is not None:
            self._create()
        elif ours := [log["FlowLogId"] for log in self._listed() if destination(log) == self.aim]:
            answer = self.clients.once("ec2").delete_flow_logs(FlowLogIds=ours)
            for failed in answer.get("Unsuccessful", []):
                if failed["Error"]["Code"] != _GONE:
                    raise RuleError(f"EC2 deletes no flow log to {self.aim}: {failed['Error']['Code']}")

    def _listed(self) -> Iterator[dict[str, Any]]:
        return listed(self.clients.client("ec2"), self.place)

    def _create(self) -> None:
        """EC2 answers a token that it knows with the flow log made then, though deleted since: take the next one.

        One of the same destination is never made twice, whatever the token.
        """
        ec2 = self.clients.client("ec2")
        for number in range(_TOKENS):
            try:
                answer = ec2.create_flow_logs(
                    ClientToken=f"{self.incident}-{self.place}-{number}",
                    ResourceType="VPC",
                    ResourceIds=[self.place],
                    TrafficType="ALL",
                    LogDestinationType="s3",
                    LogDestination=self.aim,
                )
            except ec2.exceptions.ClientError as error:
                if not is_already(error) or self.read() != self.aim:
                    raise
                return
            for failed in answer.get("Unsuccessful", []):
                raise RuleError(f"EC2 creates no flow log to {self.aim}: {failed['Error']['Code']}")
            if self.read() == self.aim:
                return


class Retention(LogSource):
    """How many days a log group keeps its lines; null is for ever."""

    def read(self) -> Any:
        return (described(self.clients.client("logs"), self.place) or {}).get("retentionInDays")

    def wanted(self, standing: Any) -> Any:
        return None if standing is None else max(standing, self.aim)

    def set(self, value: Any) -> None:
        """`logs:PutRetentionPolicy`; one that keeps for ever is never set."""
        self.clients.client("logs").put_retention_policy(logGroupName=self.place, retentionInDays=value)
