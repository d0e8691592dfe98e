"""What AWS may refuse of making a promoted replica a replica again, and how the plan knows."""

from collections.abc import Callable
from functools import partial
from typing import Any

from moto.rds.models import rds_backends

from sandbox.aws import rds_snapshots
from sandbox.aws.rds_state import state_of
from tests.activities.change_worlds import ChangeWorld
from tests.activities.database_refusals import PUT, RESTART, Inactive, NoCluster
from tests.activities.database_worlds import PARAMETER, ForeignEcs
from tests.activities.fake_ecs import FakeEcs
from tests.activities.fake_rds import PRIMARY, REPLICA, address
from tests.activities.recovery_worlds import KEY
from tests.activities.refusals import PlanRefusals, Told
from tests.activities.renewal_worlds import ASIDE, instance, renew
from tests.activities.scopes import ACCOUNT, REGION

_CHANGE = "rds.renew_replica"


def changed(name: str, **given: Any) -> ChangeWorld:
    """The primary, or what was promoted, has come to be otherwise since."""
    world = renew()
    for field, value in given.items():
        setattr(instance(name), field, value)
    return world


def taken() -> ChangeWorld:
    """Something has the name that the promoted instance is to get."""
    world = renew()
    world.clients.inner.client("rds").create_db_instance(
        DBInstanceIdentifier=ASIDE,
        DBInstanceClass="db.r6g.large",
        Engine="postgres",
        MasterUsername="portal",
        MasterUserPassword="of-this-test",
        AllocatedStorage=100,
    )
    return world


def full() -> ChangeWorld:
    """As many instances are there as the account may have."""
    world = renew()
    kept = rds_backends[ACCOUNT][REGION].databases
    kept.update({f"more-{number}": instance(PRIMARY) for number in range(rds_snapshots.MOST["DBInstances"])})
    return world


def crowded() -> ChangeWorld:
    """So many rules were let in meanwhile that there is no room for those that come back."""
    world = renew()
    ec2, group = world.clients.inner.client("ec2"), world.scope.environment.security_groups["database"]
    ranges = [{"CidrIp": f"10.{number}.0.0/16"} for number in range(59)]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": ranges}]
    )
    return world


def pattern() -> ChangeWorld:
    """The parameter takes the address of the promoted instance alone."""
    world = renew()
    ssm = world.clients.inner.client("ssm")
    now = ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"]
    ssm.put_parameter(Name=PARAMETER, Value=now, Overwrite=True, AllowedPattern=f"^{REPLICA}[.].*$")
    return world


def labelled() -> ChangeWorld:
    """The oldest of a hundred versions has a label."""
    world = renew()
    ssm = world.clients.inner.client("ssm")
    ssm.label_parameter_version(Name=PARAMETER, ParameterVersion=1, Labels=["first"])
    for _ in range(98):
        ssm.put_parameter(Name=PARAMETER, Value=address(PRIMARY), Overwrite=True)
    return world


def locked() -> ChangeWorld:
    """The key that the replica was under is switched off."""
    world = renew()
    kms = world.clients.inner.client("kms")
    kms.disable_key(KeyId=kms.describe_key(KeyId=KEY)["KeyMetadata"]["KeyId"])
    return world


def exhausted(name: str) -> ChangeWorld:
    """RDS is busy with an instance."""
    world = renew()
    state_of(instance(name)).instance.status = "backing-up"
    return world


def managed() -> ChangeWorld:
    """Secrets Manager keeps the primary's password, of which RDS makes no replica."""
    world = renew()
    world.clients.inner.client("rds").modify_db_instance(
        DBInstanceIdentifier=PRIMARY, ManageMasterUserPassword=True, ApplyImmediately=True
    )
    return world


def of_another_type() -> ChangeWorld:
    """The parameter takes the name of an image alone (SSM API PutParameter, DataType)."""
    world = renew()
    ssm = world.clients.inner.client("ssm")
    stood = ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"]
    ssm.put_parameter(Name=PARAMETER, Value=stood, Overwrite=True, DataType="aws:ec2:image")
    return world


def _told(ecs: Callable[[], FakeEcs]) -> Told:
    """By the time of the renewal ECS does not restart the service any more."""

    def made() -> ChangeWorld:
        world = renew()
        world.clients.instead["ecs"] = ecs()
        return world

    return Told(made, "NOT restarted")


_FIRST = "the plan describes it first, and ends with AWS's own answer"
_LOOKED_AT = "a look has just found it under this name"
_NOT_GIVEN = {
    "AuthorizationNotFound": "a group of EC2-Classic",
    "BackupPolicyNotFoundFault": "a backup policy",
    "CertificateNotFound": "another certificate than the replica had",
    "DBCapacityReservationNotFound": "a reservation of capacity",
    "DBClusterNotFoundFault": "a cluster as its source",
    "DBSecurityGroupNotFound": "a group of EC2-Classic",
    "DBUpgradeDependencyFailure": "an engine version",
    "DomainNotFoundFault": "a directory",
    "InvalidDBCapacityReservationState": "a reservation of capacity",
    "InvalidDBClusterStateFault": "a cluster as its source",
    "InvalidDBSecurityGroupState": "a group of EC2-Classic",
    "OptionGroupNotFoundFault": "an option group",
    "TenantDatabaseQuotaExceeded": "several tenants",
}
_AS_IT_WAS = "it is given as RDS itself showed it of the replica, which stood so"
_MAKE = {
    "DBInstanceAlreadyExists": "the old name is free by then, as the instance that had it is seen under its new one",
    "DBInstanceNotFound": _FIRST,
    "DBParameterGroupNotFound": "no parameter group is given: RDS would not take it here",
    "DBSubnetGroupDoesNotCoverEnoughAZs": _AS_IT_WAS,
    "DBSubnetGroupNotAllowedFault": "one is given only where the replica stood in another than its primary's",
    "DBSubnetGroupNotFoundFault": _AS_IT_WAS,
    "InsufficientDBInstanceCapacity": "no read of ours tells how much a zone has left at the moment",
    "InvalidDBSubnetGroupFault": _AS_IT_WAS,
    "InvalidSubnet": _AS_IT_WAS,
    "InvalidVPCNetworkStateFault": _AS_IT_WAS,
    "NetworkTypeNotSupported": _AS_IT_WAS,
    "ProvisionedIopsNotAvailableInAZFault": _AS_IT_WAS,
    "StorageTypeNotSupported": _AS_IT_WAS,
    "VpcEncryptionControlViolationException": "which classes a VPC that enforces encryption leaves, no operation lists",
}
_TAGGED = {
    "BlueGreenDeploymentNotFoundFault": "a deployment",
    "DBCapacityReservationNotFound": "a reservation",
    "DBClusterNotFoundFault": "a cluster",
    "DBProxyEndpointNotFoundFault": "a proxy's endpoint",
    "DBProxyNotFoundFault": "a proxy",
    "DBProxyTargetGroupNotFoundFault": "a proxy's targets",
    "DBShardGroupNotFound": "a shard group",
    "DBSnapshotNotFound": "a snapshot",
    "DBSnapshotTenantDatabaseNotFoundFault": "a tenant",
    "IntegrationNotFoundFault": "an integration",
    "InvalidDBClusterEndpointStateFault": "a cluster's endpoint",
    "InvalidDBClusterStateFault": "a cluster",
    "TenantDatabaseNotFound": "a tenant",
}

_GENERAL = {
    "AddTagsToResource": "the tags are two of ours, whose values are an incident's id and a word",
    "CreateDBInstanceReadReplica": _AS_IT_WAS,
    "DeleteDBInstance": "no final snapshot is named beside skipping it",
    "ModifyDBInstance": "the name is made of what RDS takes, and no other setting is given beside it or a group",
    "RebootDBInstance": "an instance by its own name is all that is given",
}
"""Of parameters that do not fit each other, or what stands there."""

PLAN_REFUSALS: PlanRefusals = {
    **{
        (_CHANGE, operation, code): why
        for operation, why in _GENERAL.items()
        for code in ("InvalidParameterCombination", "InvalidParameterValue")
    },
    (_CHANGE, "CreateDBInstanceReadReplica", "InvalidParameterValue"): managed,
    (_CHANGE, "PutParameter", "ValidationException"): of_another_type,
    (_CHANGE, "AuthorizeSecurityGroupIngress", "InvalidGroup.NotFound"): (
        "the plan looks at the group, and says that its rules cannot come back where it is gone"
    ),
    (_CHANGE, "AuthorizeSecurityGroupIngress", "RulesPerSecurityGroupLimitExceeded"): crowded,
    **{(_CHANGE, "PutParameter", code): f"{why}, so it cannot be" for code, why in PUT.items()},
    (_CHANGE, "PutParameter", "ParameterPatternMismatchException"): pattern,
    (_CHANGE, "PutParameter", "ParameterMaxVersionLimitExceeded"): labelled,
    **{(_CHANGE, "UpdateService", code): why for code, why in RESTART.items()},
    (_CHANGE, "UpdateService", "InvalidParameterException"): _told(ForeignEcs),
    (_CHANGE, "UpdateService", "ClusterNotFoundException"): _told(NoCluster),
    (_CHANGE, "UpdateService", "ServiceNotFoundException"): _told(Inactive),
    (_CHANGE, "UpdateService", "ServiceNotActiveException"): _told(Inactive),
    (_CHANGE, "ModifyDBInstance", "DBInstanceAlreadyExists"): taken,
    (_CHANGE, "ModifyDBInstance", "DBParameterGroupNotFound"): _AS_IT_WAS,
    (_CHANGE, "ModifyDBInstance", "InvalidDBInstanceState"): partial(exhausted, REPLICA),
    (_CHANGE, "ModifyDBInstance", "InvalidDBClusterStateFault"): partial(
        changed, REPLICA, db_cluster_identifier="axis-cluster"
    ),
    **{
        (_CHANGE, "CreateDBInstanceReadReplica", code): f"it is about {what}, and none is given"
        for code, what in _NOT_GIVEN.items()
    },
    **{(_CHANGE, "CreateDBInstanceReadReplica", code): why for code, why in _MAKE.items()},
    (_CHANGE, "CreateDBInstanceReadReplica", "InstanceQuotaExceeded"): full,
    (_CHANGE, "CreateDBInstanceReadReplica", "InvalidDBInstanceState"): partial(
        changed, PRIMARY, backup_retention_period=0
    ),
    (_CHANGE, "CreateDBInstanceReadReplica", "StorageQuotaExceeded"): partial(
        changed, REPLICA, allocated_storage=rds_snapshots.MOST["AllocatedStorage"]
    ),
    **{
        (_CHANGE, "AddTagsToResource", code): f"it is about {what}, and an instance is tagged"
        for code, what in _TAGGED.items()
    },
    (_CHANGE, "AddTagsToResource", "DBInstanceNotFound"): _LOOKED_AT,
    (_CHANGE, "AddTagsToResource", "InvalidDBInstanceState"): "it is tagged only once it serves under its new name",
    (_CHANGE, "RebootDBInstance", "DBInstanceNotFound"): _LOOKED_AT,
    (_CHANGE, "RebootDBInstance", "InvalidDBInstanceState"): "it is rebooted only while it is available",
    (_CHANGE, "DeleteDBInstance", "DBInstanceAutomatedBackupQuotaExceeded"): "its backups are deleted with it",
    (_CHANGE, "DeleteDBInstance", "DBInstanceNotFound"): _LOOKED_AT,
    (_CHANGE, "DeleteDBInstance", "InvalidDBClusterStateFault"): "a member of a cluster is refused in the plan",
    (_CHANGE, "DeleteDBInstance", "InvalidDBInstanceState"): partial(changed, REPLICA, deletion_protection=True),
    (_CHANGE, "DeleteDBInstance", "SnapshotQuotaExceeded"): "no final snapshot is taken of a rehearsal's writes",
}
