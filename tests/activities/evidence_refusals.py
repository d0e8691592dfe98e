"""What AWS may refuse of the writes that preserve evidence, keep logs and silence alarms."""

from types import SimpleNamespace
from typing import Any

from tests.activities.change_worlds import ChangeWorld
from tests.activities.evidence_worlds import EVIDENCE, preserve
from tests.activities.refusals import PlanRefusals, Told, Undone
from tests.activities.scopes import REGION, environment, scope
from tests.activities.security_worlds import logging
from tests.activities.upkeep_worlds import trail


def _trail_of(**changes: Any) -> ChangeWorld:
    world = trail()
    world.scope = scope(environment=environment(trails={"account": "axis-trail"}, **changes))
    return world


def _of_an_organization() -> ChangeWorld:
    """The trail of an organization whose management account is another."""
    world = _trail_of(account="210987654321")
    cloudtrail = world.clients.inner.client("cloudtrail")
    cloudtrail.delete_trail(Name="axis-trail")
    cloudtrail.create_trail(Name="axis-trail", S3BucketName="axis-audit-logs", IsOrganizationTrail=True)
    return world


def _unlocked() -> ChangeWorld:
    world = preserve()
    located: Any = {"LocationConstraint": REGION}
    world.clients.inner.client("s3").create_bucket(Bucket="unlocked", CreateBucketConfiguration=located)
    changed = world.scope.environment.model_copy(
        update={"evidence": environment(evidence=EVIDENCE | {"bucket": "unlocked"}).evidence}
    )
    world.scope = world.scope.model_copy(update={"environment": changed})
    return world


def _no_network() -> ChangeWorld:
    world = logging()
    ec2 = world.clients.inner.client("ec2")
    ec2.delete_vpc(VpcId=world.scope.environment.networks["main"].vpc_id)
    return world


_PLACE = {"ResourceId": "vpc", "LogDestination": "arn:aws:s3:::elsewhere"}


def _full_network() -> ChangeWorld:
    """Two flow logs that fail, which count all the same."""
    world = logging()
    failed = [{"FlowLogId": f"fl-{number}", "FlowLogStatus": "FAILED", **_PLACE} for number in range(2)]
    inner: Any = _Answering(world.clients.inner, failed)
    world.clients.inner = inner
    return world


class _Answering:
    """Clients whose EC2 lists these flow logs; moto knows none that fails."""

    def __init__(self, inner: Any, logs: list[dict[str, str]]) -> None:
        self._inner = inner
        self._logs = logs

    def client(self, service: str) -> Any:
        made = self._inner.client(service)
        if service != "ec2":
            return made
        return SimpleNamespace(
            meta=made.meta,
            exceptions=made.exceptions,
            describe_vpcs=made.describe_vpcs,
            describe_flow_logs=lambda **_: {"FlowLogs": self._logs},
        )

    once = client


def _other_acl(**changes: str) -> ChangeWorld:
    world = logging()
    acls = {name: one.model_copy(update=changes) for name, one in world.scope.environment.web_acls.items()}
    changed = world.scope.environment.model_copy(update={"web_acls": acls})
    world.scope = world.scope.model_copy(update={"environment": changed})
    return world


def _unlog(world: ChangeWorld) -> None:
    """Somebody switches the web ACL's log off again."""
    waf = world.clients.inner.client("wafv2")
    (acl,) = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    waf.delete_logging_configuration(ResourceArn=acl["ARN"])


_START, _MUTE, _LOG = "cloudtrail.start_logging", "cloudwatch.disable_alarm_actions", "logging.extend"
_READ_BEFORE = "the plan has read the trail by the same name, which CloudTrail refuses in the same way"
_AS_ANSWERED = "the parts are named as S3 answered each, in the order in which they were read"
_NOT_SENT = "it is about a parameter that this change does not send"

PLAN_REFUSALS: PlanRefusals = {
    (_START, "StartLogging", "TrailNotFoundException"): _READ_BEFORE,
    (_START, "StartLogging", "InvalidTrailNameException"): _READ_BEFORE,
    (_START, "StartLogging", "CloudTrailARNInvalidException"): _READ_BEFORE,
    (
        _START,
        "StartLogging",
        "InvalidHomeRegionException",
    ): "the plan compares regions: test_trails shows it",
    (_START, "StartLogging", "NotOrganizationMasterAccountException"): _of_an_organization,
    (_START, "StartLogging", "NoManagementAccountSLRExistsException"): _of_an_organization,
    (_START, "StartLogging", "OperationNotPermittedException"): "no read of ours tells why CloudTrail will not do it",
    (
        _START,
        "StartLogging",
        "UnsupportedOperationException",
    ): "what the plan has read is a trail, which can be started",
    (_MUTE, "PutAlarmMuteRule", "LimitExceeded"): "CloudWatch names no number of mute rules that an account may have",
    (_LOG, "CreateFlowLogs", "FlowLogsLimitExceeded"): _full_network,
    (_LOG, "CreateFlowLogs", "InvalidVpcId.NotFound"): _no_network,
    (_LOG, "CreateFlowLogs", "LogDestinationPermissionIssueException"): Told(logging, "admits flow logs is unknown"),
    (_LOG, "CreateFlowLogs", "UnsupportedOperation"): "every VPC takes a flow log of all traffic to S3",
    (_LOG, "DeleteFlowLogs", "InvalidFlowLogId.NotFound"): (
        "those that it deletes were listed just before, and one that is gone by then counts as deleted"
    ),
    (_LOG, "DeleteLoggingConfiguration", "WAFInvalidOperationException"): (
        "the web ACL logs where our own change let it, or the undo's plan ends as somebody changed it"
    ),
    (
        _LOG,
        "DeleteLoggingConfiguration",
        "WAFInvalidParameterException",
    ): "it names the web ACL by the ARN that WAF gave",
    (_LOG, "DeleteLoggingConfiguration", "WAFNonexistentItemException"): Undone(logging, _unlog),
    (_LOG, "PutRetentionPolicy", "InvalidParameterException"): "days that CloudWatch does not keep are no parameters",
    (_LOG, "PutRetentionPolicy", "ResourceNotFoundException"): lambda: _other_acl(log_group="aws-waf-logs-gone"),
    (_LOG, "PutLoggingConfiguration", "WAFFeatureNotIncludedInPricingPlanException"): _NOT_SENT,
    (_LOG, "PutLoggingConfiguration", "WAFInvalidOperationException"): lambda: _other_acl(log_group="/waf/portal"),
    (_LOG, "PutLoggingConfiguration", "WAFInvalidParameterException"): lambda: _other_acl(log_group="/waf/portal"),
    (_LOG, "PutLoggingConfiguration", "WAFLimitsExceededException"): "a web ACL has one logging configuration at most",
    (_LOG, "PutLoggingConfiguration", "WAFNonexistentItemException"): "the plan ends where no web ACL has the name",
    ("s3.preserve_logs", "CreateMultipartUpload", "NoSuchBucket"): (
        "the plan reads how the bucket locks first, and ends with AWS's own answer"
    ),
    ("s3.preserve_logs", "CompleteMultipartUpload", "EntityTooSmall"): "every part but the last has 5 MiB at least",
    ("s3.preserve_logs", "CompleteMultipartUpload", "InvalidPart"): _AS_ANSWERED,
    ("s3.preserve_logs", "CompleteMultipartUpload", "InvalidPartOrder"): _AS_ANSWERED,
    **{
        ("s3.preserve_logs", operation, "NoSuchUpload"): "whether somebody gives our upload up nobody knows beforehand"
        for operation in ("CompleteMultipartUpload", "UploadPart")
    },
    ("s3.preserve_logs", "AbortMultipartUpload", "NoSuchUpload"): (
        "an upload that is gone needs no giving up: whatever S3 answers to that is passed over"
    ),
    ("s3.preserve_logs", "PutObject", "EncryptionTypeMismatch"): _NOT_SENT,
    ("s3.preserve_logs", "PutObject", "InvalidRequest"): _unlocked,
    ("s3.preserve_logs", "PutObject", "InvalidWriteOffset"): _NOT_SENT,
    ("s3.preserve_logs", "PutObject", "TooManyParts"): _NOT_SENT,
}
