"""Log more, and keep it longer: the web ACL's requests, a network's flows, the services' lines."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from activities.action import BucketName, NetworkName, Params, RuleError, ServiceName, WebAclName, iam
from activities.aws.network.ec2_flow_logs import destination, is_active
from activities.aws.network.ec2_flow_logs import listed as flow_logs
from activities.aws.network.wafv2_acls import Waf
from activities.aws.observability.log_sources import FlowLog, LogSource, Retention, WebAclLog
from activities.aws.shared.addresses import listed
from activities.aws.shared.error_codes import code_of
from activities.aws.shared.log_records import described
from activities.aws.shared.pieces import CompositeChange
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.plan import Plan, State

_WAF_LOG = "aws-waf-logs-"
"""How a log group of WAF's must be called (WAF developer guide, "Sending web ACL traffic logs to CloudWatch Logs")."""
FLOW_LOGS = 2
"""How many flow logs a VPC may have (Amazon VPC user guide, quotas)."""
_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557)
"""What CloudWatch Logs takes (`PutRetentionPolicy`), as far as seven years."""


class ExtendLoggingParams(Params):
    """What shall log: `web_acl` to its log group, `network` to `bucket`; `services` keep their lines `days`."""

    web_acl: WebAclName | None = None
    network: NetworkName | None = None
    bucket: BucketName | None = None
    services: Annotated[tuple[ServiceName, ...], BeforeValidator(listed)] = ()
    days: int = Field(default=2557, ge=1, le=2557)

    @field_validator("days")
    @classmethod
    def _known(cls, value: int) -> int:
        if value not in _DAYS:
            raise ValueError(f"CloudWatch Logs keeps {', '.join(map(str, _DAYS))} days, not {value}")
        return value


class ExtendLogging(CompositeChange[ExtendLoggingParams]):
    """Turns logging on where there is none, and lengthens retention; what logs already stays as it is.

    The state has one field a source, named after what it belongs to: null or where a web ACL or a network logs to, and
    the days that a log group keeps, null for ever. Nothing is ever lowered.
    """

    name = "logging.extend"
    permissions = iam(
        "ec2:CreateFlowLogs DeleteFlowLogs DescribeFlowLogs DescribeVpcs",
        "logs:CreateLogDelivery DeleteLogDelivery DescribeLogGroups PutRetentionPolicy",
        "wafv2:DeleteLoggingConfiguration GetLoggingConfiguration ListWebACLs",
        "wafv2:PutLoggingConfiguration",
    )
    classes = (ApprovalClass.A1,)

    def plan(self, scope: Scope, params: ExtendLoggingParams) -> Plan:
        """Look what logs already; raises `RuleError` where a log would go nowhere."""
        context = self._context(scope, params)
        sources = dict(self.pieces(scope, {}, context))
        if not sources:
            raise RuleError("name a web_acl, a network or services that shall log more")
        before = {name: source.read() for name, source in sources.items()}
        after = {name: source.wanted(before[name]) for name, source in sources.items()}
        changed = [name for name in before if before[name] != after[name]]
        return self.proposed(
            target=context["arns"][0],
            summary=f"Log more: {', '.join(changed) or 'everything named does so already'}",
            before=before,
            after=after,
            impact=_impact(changed) + _of_the_bucket(changed, context),
            locks=context["arns"],
            context=context,
        )

    def pieces(self, scope: Scope, wanted: State, context: State) -> Iterable[tuple[str, LogSource]]:
        """Every source of a plan, the web ACL first. The first flow log file comes some ten minutes after its turn."""
        sources: list[LogSource] = []
        if context["web_acl"]:
            name = f"requests of {context['web_acl'].split('/')[-2]}"
            sources.append(WebAclLog(self.clients, name, context["web_acl"], context["web_acl_log"]))
        if context["vpc"]:
            vpc, bucket = context["vpc"], scope.environment.arn("s3", context["bucket"])
            sources.append(FlowLog(self.clients, f"flows of {vpc}", vpc, bucket, scope.incident))
        sources += [Retention(self.clients, f"days of {group}", group, context["days"]) for group in context["groups"]]
        return ((source.name, source) for source in sources)

    def _context(self, scope: Scope, params: ExtendLoggingParams) -> State:
        environment = scope.environment
        acl = log = None
        groups = [environment.services[name].log_group for name in dict.fromkeys(params.services)]
        if params.web_acl:
            where = environment.web_acls[params.web_acl]
            if where.scope == "CLOUDFRONT":
                raise RuleError(f"{params.web_acl} logs in CloudFront's home region: turn its log on there by hand")
            if not where.log_group.startswith(_WAF_LOG):
                raise RuleError(f"WAF logs to groups called {_WAF_LOG}… alone, not to {where.log_group}")
            acl = str(Waf(self.clients, environment, params.web_acl).acl()["ARN"])
            log = environment.arn("logs", f"log-group:{where.log_group}")
            groups.append(where.log_group)
        vpc = environment.networks[params.network].vpc_id if params.network else None
        if vpc and not params.bucket:
            raise RuleError("flow logs go to a bucket: name it too")
        self._refuse_missing(groups)
        bucket = environment.buckets[params.bucket] if params.bucket else None
        if vpc:
            self._refuse_network(vpc, environment.arn("s3", str(bucket)))
        arns = [environment.arn("logs", f"log-group:{group}") for group in groups]
        return {
            "web_acl": acl,
            "web_acl_log": log,
            "vpc": vpc,
            "bucket": bucket,
            "groups": sorted(groups),
            "days": params.days,
            "arns": ([acl] if acl else []) + ([environment.arn("ec2", f"vpc/{vpc}")] if vpc else []) + arns,
        }

    def _refuse_missing(self, groups: list[str]) -> None:
        logs: Any = self.clients.client("logs")
        for group in groups:
            if not described(logs, group):
                raise RuleError(f"there is no log group {group}: create it first, or correct the environment's file")

    def _refuse_network(self, vpc: str, aim: str) -> None:
        """Make sure that the VPC is there, and takes one more flow log (`ec2:DescribeVpcs`, `DescribeFlowLogs`)."""
        ec2 = self.clients.client("ec2")
        try:
            ec2.describe_vpcs(VpcIds=[vpc])
        except ec2.exceptions.ClientError as error:
            if code_of(error) != "InvalidVpcID.NotFound":
                raise
            raise RuleError(f"there is no VPC {vpc}: correct the environment's file") from error
        logs = list(flow_logs(ec2, vpc))
        if any(is_active(log) for log in logs):
            return
        if same := next((log for log in logs if destination(log) == aim), None):
            why = same.get("DeliverLogsErrorMessage", "EC2 gives no reason")
            raise RuleError(
                f"{same['FlowLogId']} goes to {aim} already and delivers nothing ({why}): mend that, as EC2 makes no "
                "second one"
            )
        if len(logs) >= FLOW_LOGS:
            raise RuleError(
                f"{vpc} has {len(logs)} flow logs, none of them active, and takes no more: delete one first"
            )


def _impact(changed: list[str]) -> str:
    return (
        f"{len(changed)} sources log more or longer, which costs storage. Log lines may hold personal information: "
        "whoever reads the logs reads more of it, and longer. Authorization and cookie headers are left out of the web "
        "ACL's. Only what happens from now on is logged. An undo shortens the retention to what it was, whereupon "
        "CloudWatch deletes what is older: keep it as long as evidence is needed."
    )


def _of_the_bucket(changed: list[str], context: State) -> str:
    """What is not looked at, as no role may read the policy of a bucket.

    VPC user guide, "Amazon S3 bucket permissions for flow logs": EC2 writes that policy, over any that is there, for
    who may get and put it; for others "flow log creation fails".
    """
    if f"flows of {context['vpc']}" not in changed:
        return ""
    return (
        f" Whether bucket {context['bucket']} admits flow logs is unknown: where its policy does not let "
        "delivery.logs.amazonaws.com s3:PutObject and s3:GetBucketAcl, EC2 makes none, and that is to be added by hand."
    )
