"""What RDS, ECS and Parameter Store may refuse of the changes of databases, and how their plans know."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.activities.change_worlds import ChangeWorld
from tests.activities.database_worlds import (
    PARAMETER,
    ForeignEcs,
    cluster_failover,
    failover,
    promote,
    resize,
)
from tests.activities.fake_ecs import FakeEcs
from tests.activities.fake_rds import PRIMARY, address
from tests.activities.refusals import PlanRefusals, Told
from tests.activities.upkeep_worlds import insights

_FIRST = "the plan describes it first, and ends with AWS's own answer"


class NoCluster(FakeEcs):
    """ECS in an account whose cluster is gone (ECS API DescribeServices)."""

    def describe_services(self, cluster: str, services: list[str]) -> dict[str, Any]:
        error: Any = {"Error": {"Code": "ClusterNotFoundException", "Message": f"{cluster}, {services}"}}
        raise ClientError(error, "DescribeServices")


class Inactive(FakeEcs):
    """A service that was deleted, and is shown for a while (ECS API DescribeServices)."""

    def describe_services(self, cluster: str, services: list[str]) -> dict[str, Any]:
        (service,) = super().describe_services(cluster=cluster, services=services)["services"]
        return {"services": [service | {"status": "INACTIVE"}], "failures": []}


def in_status(make: Callable[[], ChangeWorld], status: str, of: str = PRIMARY) -> Callable[[], ChangeWorld]:
    """A world in which RDS is busy with an instance."""

    def made() -> ChangeWorld:
        world = make()
        world.clients.instead["rds"].instances[of]["DBInstanceStatus"] = status
        return world

    return made


def member(make: Callable[[], ChangeWorld]) -> Callable[[], ChangeWorld]:
    """A world in which the database is a member of a cluster, and named as an instance."""

    def made() -> ChangeWorld:
        world = make()
        rds = world.clients.instead["rds"]
        rds.join()
        rds.primary["DBClusterIdentifier"] = rds.cluster["DBClusterIdentifier"]
        return world

    return made


def busy_cluster() -> ChangeWorld:
    world = cluster_failover()
    world.clients.instead["rds"].cluster["Status"] = "failing-over"
    return world


def no_reader() -> ChangeWorld:
    world = cluster_failover()
    for name, one in world.clients.instead["rds"].instances.items():
        one["DBInstanceStatus"] = "available" if name.endswith("-1") else "rebooting"
    return world


def pattern() -> ChangeWorld:
    """The parameter takes the address of the old primary alone."""
    world = promote()
    ssm = world.clients.inner.client("ssm")
    ssm.put_parameter(Name=PARAMETER, Value=address(PRIMARY), Overwrite=True, AllowedPattern=f"^{PRIMARY}[.].*$")
    return world


def labelled() -> ChangeWorld:
    """The oldest of a hundred versions has a label."""
    world = promote()
    ssm = world.clients.inner.client("ssm")
    ssm.label_parameter_version(Name=PARAMETER, ParameterVersion=1, Labels=["first"])
    for _ in range(99):
        ssm.put_parameter(Name=PARAMETER, Value=address(PRIMARY), Overwrite=True)
    return world


_NOT_GIVEN = {
    "AuthorizationNotFound": "a group of EC2-Classic",
    "BackupPolicyNotFoundFault": "a backup policy",
    "CertificateNotFound": "a certificate",
    "DBCapacityReservationNotFound": "a reservation of capacity",
    "DBInstanceAlreadyExists": "a new name",
    "DBParameterGroupNotFound": "a parameter group",
    "DBSecurityGroupNotFound": "a group of EC2-Classic",
    "DBUpgradeDependencyFailure": "an engine version",
    "DomainNotFoundFault": "a directory",
    "InvalidDBCapacityReservationState": "a reservation of capacity",
    "InvalidDBSecurityGroupState": "a group of EC2-Classic",
    "InvalidVPCNetworkStateFault": "a subnet group",
    "NetworkTypeNotSupported": "a network type",
    "OptionGroupNotFoundFault": "an option group",
    "ProvisionedIopsNotAvailableInAZFault": "provisioned I/O",
    "StorageQuotaExceeded": "an amount of storage",
    "StorageTypeNotSupported": "a storage type",
    "TenantDatabaseQuotaExceeded": "several tenants",
}
"""What ModifyDBInstance refuses of parameters that no change here gives."""
PUT = {
    "HierarchyLevelLimitExceededException": "the parameter is there already under its name",
    "HierarchyTypeMismatchException": "the parameter is there already, of the type that it keeps",
    "IncompatiblePolicyException": "no policy is given",
    "InvalidAllowedPatternException": "no pattern is given, so that the one there stays",
    "InvalidKeyId": "a plain string has no key; an encrypted one is refused in the plan",
    "InvalidPolicyAttributeException": "no policy is given",
    "InvalidPolicyTypeException": "no policy is given",
    "ParameterLimitExceeded": "the parameter is there already, and counted",
    "PoliciesLimitExceededException": "no policy is given",
    "UnsupportedParameterType": "the type is not given, and stays a string",
}
RESTART = {
    "ClientException": "what ECS thinks wrong with a request of a cluster and a service alone is not documented",
    "NamespaceNotFoundException": "no configuration of Service Connect is given",
    "PlatformTaskDefinitionIncompatibilityException": "the task definition stays the one that runs on its platform",
    "PlatformUnknownException": "no platform version is given",
    "UnsupportedFeatureException": "nothing but a new deployment of what runs is asked for",
}

PLAN_REFUSALS: PlanRefusals = {
    ("rds.failover", "RebootDBInstance", "DBInstanceNotFound"): _FIRST,
    ("rds.failover", "RebootDBInstance", "InvalidDBInstanceState"): in_status(failover, "modifying"),
    ("rds.failover", "FailoverDBCluster", "DBClusterNotFoundFault"): _FIRST,
    ("rds.failover", "FailoverDBCluster", "InvalidDBClusterStateFault"): busy_cluster,
    ("rds.failover", "FailoverDBCluster", "InvalidDBInstanceState"): no_reader,
    ("rds.promote_replica", "RevokeSecurityGroupIngress", "InvalidGroup.NotFound"): (
        "the plan reads the group's rules, and refuses a group that is not the primary's own"
    ),
    ("rds.promote_replica", "PromoteReadReplica", "DBInstanceNotFound"): _FIRST,
    ("rds.promote_replica", "PromoteReadReplica", "InvalidDBInstanceState"): in_status(
        promote, "backing-up", of="axis-db-replica"
    ),
    **{("rds.promote_replica", "PutParameter", code): f"{why}, so it cannot be" for code, why in PUT.items()},
    ("rds.promote_replica", "PutParameter", "ParameterPatternMismatchException"): pattern,
    ("rds.promote_replica", "PutParameter", "ParameterMaxVersionLimitExceeded"): labelled,
    **{("rds.promote_replica", "UpdateService", code): why for code, why in RESTART.items()},
    ("rds.promote_replica", "UpdateService", "InvalidParameterException"): Told(
        lambda: promote(ecs=ForeignEcs()), "NOT restarted"
    ),
    ("rds.promote_replica", "UpdateService", "ClusterNotFoundException"): Told(
        lambda: promote(ecs=NoCluster()), "NOT restarted"
    ),
    ("rds.promote_replica", "UpdateService", "ServiceNotFoundException"): Told(
        lambda: promote(ecs=Inactive()), "NOT restarted"
    ),
    ("rds.promote_replica", "UpdateService", "ServiceNotActiveException"): Told(
        lambda: promote(ecs=Inactive()), "NOT restarted"
    ),
    **{("*", "ModifyDBInstance", code): f"neither change gives {what}" for code, what in _NOT_GIVEN.items()},
    ("*", "ModifyDBInstance", "DBInstanceNotFound"): _FIRST,
    ("*", "ModifyDBInstance", "InsufficientDBInstanceCapacity"): (
        "capacity comes and goes by the minute, and no operation tells of it beforehand"
    ),
    ("*", "ModifyDBInstance", "VpcEncryptionControlViolationException"): (
        "which classes a VPC that enforces encryption leaves is listed by no operation"
    ),
    ("rds.resize_instance", "ModifyDBInstance", "InvalidDBInstanceState"): in_status(resize, "storage-optimization"),
    ("rds.resize_instance", "ModifyDBInstance", "InvalidDBClusterStateFault"): member(resize),
    ("rds.enable_insights", "ModifyDBInstance", "InvalidDBInstanceState"): in_status(insights, "storage-optimization"),
    ("rds.enable_insights", "ModifyDBInstance", "InvalidDBClusterStateFault"): member(insights),
}
