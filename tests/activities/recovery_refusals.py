"""What RDS may refuse of restoring a snapshot, and how the plan knows."""

from copy import copy
from typing import Any

from moto.rds.models import rds_backends

from sandbox.aws import rds_snapshots
from tests.activities.change_worlds import ChangeWorld
from tests.activities.recovery_worlds import SUBNETS, newest, restore, staging
from tests.activities.refusals import PlanRefusals
from tests.activities.scopes import ACCOUNT, REGION, scope

_NOT_GIVEN = {
    "AuthorizationNotFound": "a group of EC2-Classic",
    "BackupPolicyNotFoundFault": "a backup policy",
    "CertificateNotFound": "a certificate",
    "DBClusterSnapshotNotFoundFault": "a snapshot of a cluster",
    "DBParameterGroupNotFound": "a parameter group",
    "DBSecurityGroupNotFound": "a group of EC2-Classic",
    "DBCapacityReservationNotFound": "a reservation of capacity",
    "DomainNotFoundFault": "a directory",
    "InvalidDBCapacityReservationState": "a reservation of capacity",
    "NetworkTypeNotSupported": "a network type",
    "OptionGroupNotFoundFault": "an option group",
    "ProvisionedIopsNotAvailableInAZFault": "provisioned I/O",
    "StorageTypeNotSupported": "a storage type",
    "TenantDatabaseQuotaExceeded": "several tenants",
}
_CHANGE, _WRITE = "rds.restore_test", "RestoreDBInstanceFromDBSnapshot"


def full() -> ChangeWorld:
    """As many instances are there as the account may have."""
    world = restore()
    kept = rds_backends[ACCOUNT][REGION].databases
    kept.update({f"more-{number}": next(iter(kept.values())) for number in range(rds_snapshots.MOST["DBInstances"])})
    return world


def large() -> ChangeWorld:
    """The snapshot is larger than what the account may still have."""
    world = restore()
    newest().allocated_storage = rds_snapshots.MOST["AllocatedStorage"]
    return world


def one_zone() -> ChangeWorld:
    """The subnet group has lost its subnets in the second zone."""
    world = restore()
    group = rds_backends[ACCOUNT][REGION].subnet_groups[SUBNETS]
    group.subnets = group._subnets[:1]
    return world


def elsewhere() -> ChangeWorld:
    """The security group is one of another VPC."""
    world = restore()
    ec2: Any = world.clients.inner.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="other", Description="other", VpcId=vpc)["GroupId"]
    world.scope = scope(environment=staging(group))
    return world


def taken() -> ChangeWorld:
    """Something has the name already."""
    world = restore()
    world.meddle()
    return world


def busy() -> ChangeWorld:
    """The only snapshot is still being made."""
    world = restore()
    newest().status = "creating"
    return world


def no_room_to_copy() -> ChangeWorld:
    """The account keeps as many manual snapshots as it may, and this one has to be copied."""
    world = restore(under_own_key=False)
    kept = rds_backends[ACCOUNT][REGION]
    manual = copy(newest())
    manual.snapshot_type = "manual"
    kept.database_snapshots.update({f"old-{number}": manual for number in range(kept.SNAPSHOT_QUOTA)})
    return world


def none_left() -> ChangeWorld:
    world = restore()
    rds_backends[ACCOUNT][REGION].database_snapshots.clear()
    return world


_LOOKED_AT = "it is deleted only where a look has just found it, and named so"
_PASSES = "what is still being made is deleted once it is there, which is tried for half an hour"

PLAN_REFUSALS: PlanRefusals = {
    (_CHANGE, "CopyDBSnapshot", "CustomAvailabilityZoneNotFound"): "the change gives no custom zone to copy to",
    (_CHANGE, "CopyDBSnapshot", "DBSnapshotNotFound"): none_left,
    (_CHANGE, "CopyDBSnapshot", "InvalidDBSnapshotState"): busy,
    (_CHANGE, "CopyDBSnapshot", "SnapshotQuotaExceeded"): no_room_to_copy,
    (_CHANGE, "DeleteDBInstance", "DBInstanceAutomatedBackupQuotaExceeded"): "no backups are kept of what is restored",
    (_CHANGE, "DeleteDBInstance", "DBInstanceNotFound"): _LOOKED_AT,
    (_CHANGE, "DeleteDBInstance", "InvalidDBClusterStateFault"): "what is restored is an instance, and in no cluster",
    (_CHANGE, "DeleteDBInstance", "InvalidDBInstanceState"): _PASSES,
    (_CHANGE, "DeleteDBInstance", "SnapshotQuotaExceeded"): "no final snapshot is taken of a mere copy",
    (_CHANGE, "DeleteDBSnapshot", "DBSnapshotNotFound"): _LOOKED_AT,
    (_CHANGE, "DeleteDBSnapshot", "InvalidDBSnapshotState"): _PASSES,
    **{(_CHANGE, _WRITE, code): f"it is about {what}, and this change gives none" for code, what in _NOT_GIVEN.items()},
    (_CHANGE, _WRITE, "DBInstanceAlreadyExists"): taken,
    (_CHANGE, _WRITE, "DBSnapshotNotFound"): none_left,
    (_CHANGE, _WRITE, "DBSubnetGroupDoesNotCoverEnoughAZs"): one_zone,
    (_CHANGE, _WRITE, "DBSubnetGroupNotFoundFault"): "the plan describes it first, and ends with AWS's own answer",
    (_CHANGE, _WRITE, "InstanceQuotaExceeded"): full,
    (_CHANGE, _WRITE, "InvalidDBSnapshotState"): busy,
    (_CHANGE, _WRITE, "InvalidRestoreFault"): "RDS names no restore that it means, and no read tells of one",
    (_CHANGE, _WRITE, "InvalidSubnet"): "subnets are those of the group, which lie in one VPC as RDS made sure",
    (_CHANGE, _WRITE, "InvalidVPCNetworkStateFault"): elsewhere,
    (_CHANGE, _WRITE, "InsufficientDBInstanceCapacity"): "no read of ours tells how much a zone has left at the moment",
    (_CHANGE, _WRITE, "StorageQuotaExceeded"): large,
    (
        _CHANGE,
        _WRITE,
        "VpcEncryptionControlViolationException",
    ): "RDS alone knows which classes its VPC controls refuse",
}
