"""What services say of parameters that do not fit, under codes that no model names; and how the plans know."""

from collections.abc import Callable
from functools import partial
from typing import Any

from activities.aws.network.elbv2_maintenance_page import PAGE
from tests.activities.change_worlds import ChangeWorld
from tests.activities.database_worlds import PARAMETER, cluster_failover, failover, promote, resize
from tests.activities.fake_rds import PRIMARY, REPLICA
from tests.activities.recovery_worlds import restore, staging
from tests.activities.refusals import PlanRefusals
from tests.activities.scopes import scope
from tests.activities.upkeep_worlds import alarms, insights

_COMBINATION, _VALUE = "InvalidParameterCombination", "InvalidParameterValue"


def traits(make: Callable[[], ChangeWorld], of: str = PRIMARY, **changes: Any) -> Callable[[], ChangeWorld]:
    """A world whose instance has these traits."""

    def made() -> ChangeWorld:
        world = make()
        world.clients.instead["rds"].instances[of].update(changes)
        return world

    return made


def without_insights(make: Callable[[], ChangeWorld]) -> ChangeWorld:
    """The instance has Performance Insights, which no class goes with (API OrderableDBInstanceOption)."""
    world = traits(make, PerformanceInsightsEnabled=make is resize)()
    world.clients.instead["rds"].insights = False
    return world


def asking(make: Callable[[], ChangeWorld], **params: Any) -> ChangeWorld:
    world = make()
    world.params = world.params | params
    return world


def of_another_type() -> ChangeWorld:
    """The parameter takes the name of an image alone (SSM API PutParameter, DataType)."""
    world = promote()
    ssm = world.clients.inner.client("ssm")
    stood = ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"]
    ssm.put_parameter(Name=PARAMETER, Value=stood, Overwrite=True, DataType="aws:ec2:image")
    return world


def restored_as(instance_class: str) -> ChangeWorld:
    """The environment names this class for what is restored."""
    world = restore()
    recovery = world.scope.environment.recovery
    assert recovery is not None
    world.scope = scope(environment=staging(recovery.security_group, instance_class=instance_class))
    return world


def one_alarm_is_gone() -> ChangeWorld:
    world = alarms()
    world.clients.inner.client("cloudwatch").delete_alarms(AlarmNames=["backend-idle"])
    return world


_RDS: dict[tuple[str, str], tuple[Callable[[], ChangeWorld] | str, Callable[[], ChangeWorld] | str]] = {
    ("rds.enable_insights", "ModifyDBInstance"): (
        partial(without_insights, insights),
        traits(insights, Engine="custom-oracle-ee"),
    ),
    ("rds.failover", "FailoverDBCluster"): (
        partial(cluster_failover, "mysql"),
        "the target is a reader that RDS has just listed as a member of the cluster",
    ),
    ("rds.failover", "RebootDBInstance"): (
        traits(failover, MultiAZ=False),
        traits(failover, Engine="custom-sqlserver-se"),
    ),
    ("rds.promote_replica", "PromoteReadReplica"): (
        traits(promote, of=REPLICA, DBClusterIdentifier="axis-cluster"),
        traits(promote, of=REPLICA, Engine="custom-oracle-ee"),
    ),
    ("rds.resize_instance", "ModifyDBInstance"): (
        partial(without_insights, resize),
        partial(asking, resize, instance_class="db.r5.large"),
    ),
    ("rds.restore_test", "RestoreDBInstanceFromDBSnapshot"): (
        partial(restored_as, "db.t2.micro"),
        partial(restored_as, "db.r6g.tiny"),
    ),
}
_NAMED_ALONE = "it is named as RDS has just listed it, and nothing else is given that could be wrong of it"
_OUR_NAME = "the name is made of what RDS takes, and the key is one that KMS has just described as enabled"
_SHARED = "the copy is under a customer's key, and what an option group forbids to share RDS alone knows; it is told"
_SNAPSHOTS = {
    ("rds.restore_test", "CopyDBSnapshot"): _OUR_NAME,
    ("rds.restore_test", "DeleteDBInstance"): "no final snapshot is named beside skipping it",
    ("rds.restore_test", "DeleteDBSnapshot"): _NAMED_ALONE,
    ("rds.snapshot", "CopyDBClusterSnapshot"): _OUR_NAME,
    ("rds.snapshot", "CopyDBSnapshot"): _OUR_NAME,
    ("rds.snapshot", "CreateDBClusterSnapshot"): _OUR_NAME,
    ("rds.snapshot", "CreateDBSnapshot"): _OUR_NAME,
    ("rds.snapshot", "ModifyDBClusterSnapshotAttribute"): _SHARED,
    ("rds.snapshot", "ModifyDBSnapshotAttribute"): _SHARED,
}
_ENTRY = "numbers are 1 to 89, and addresses are networks without host bits: parameters take no others"
_AS_IT_STOOD = "what is written is what EC2 showed of the rule before it was revoked, or the number that it gave it"
_NOT_OURS = "a shared network belongs to another account, which the environment's ARNs and preflight tell"
_EC2 = {
    "AuthorizeSecurityGroupIngress": _AS_IT_STOOD,
    "CreateFlowLogs": "a VPC, a bucket and all traffic are given as EC2 takes them, whatever else they are",
    "CreateNetworkAclEntry": _ENTRY,
    "DeleteFlowLogs": "those that it deletes were listed just before",
    "DeleteNetworkAclEntry": _ENTRY,
    "RevokeSecurityGroupIngress": _AS_IT_STOOD,
}
_S3 = {
    "AbortMultipartUpload": "whatever S3 answers to giving an upload up is passed over",
    "CompleteMultipartUpload": "the parts are named as S3 answered each",
    "CopyObject": "a page is copied to another key than its own, and is no larger than the plan could read",
    "CreateMultipartUpload": "the lock ends years from now, in a mode that the plan saw the bucket take",
    "DeleteObject": "a bucket and a key are all that is given",
    "PutObject": "the lock ends years from now, in a mode that the plan saw the bucket take; a page has none",
    "UploadPart": "parts are of 5 MiB and more, and botocore adds their checksums",
}

PLAN_REFUSALS: PlanRefusals = {
    **{(*key, code): row[place] for key, row in _RDS.items() for place, code in enumerate((_COMBINATION, _VALUE))},
    **{(*key, _VALUE): why for key, why in _SNAPSHOTS.items()},
    **{
        (*key, _COMBINATION): why for key, why in _SNAPSHOTS.items() if key != ("rds.snapshot", "CopyDBClusterSnapshot")
    },
    **{("*", operation, _VALUE): why for operation, why in _EC2.items()},
    **{("*", operation, "OperationNotPermitted"): _NOT_OURS for operation in _EC2},
    **{
        ("*", operation, code): why
        for operation, why in _S3.items()
        for code in ("InvalidArgument", "InvalidRequest")
        if (operation, code) != ("PutObject", "InvalidRequest")
    },
    ("rds.promote_replica", "PutParameter", "ValidationException"): of_another_type,
    ("elbv2.maintenance_page", "ModifyRule", "ValidationError"): (
        f"the page has {len(PAGE)} characters, which a fixed response takes; a rule that signs people in is refused"
    ),
    ("cloudwatch.disable_alarm_actions", "PutAlarmMuteRule", "ValidationError"): one_alarm_is_gone,
    ("cloudwatch.disable_alarm_actions", "DeleteAlarmMuteRule", "ValidationError"): "a name is all that is given",
}
