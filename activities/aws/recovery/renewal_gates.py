"""What must hold before a replica is made anew: all that AWS would refuse on the way, before anything is done."""

from typing import Any, NamedTuple

from activities.action import Clients, RuleError
from activities.aws.database.database_state import remedy, standing
from activities.aws.database.described_database import AVAILABLE, refuse_member
from activities.aws.database.promotion_gates import LASTING
from activities.aws.recovery.restored_copy import refuse_full
from activities.aws.shared.error_codes import unless_denied


class Renewal(NamedTuple):
    """The replica and its primary as the environment names them, the promoted instance and the primary as RDS shows."""

    name: str
    of: str
    promoted: dict[str, Any]
    primary: dict[str, Any]


def refuse(clients: Clients, renewal: Renewal) -> None:
    """Refuse what no waiting helps: an instance that may not be deleted, a primary that takes no replica."""
    promoted, primary = renewal.promoted, renewal.primary
    refuse_member(primary, renewal.of, "its readers are RDS's to make")
    refuse_member(promoted, renewal.name, "its readers are RDS's to make")
    for name, one in ((renewal.of, primary), (renewal.name, promoted)):
        if standing(status := one["DBInstanceStatus"]) in LASTING:
            raise RuleError(f"{name} is {status}, so no replica is made anew: {remedy(status)}")
    if promoted.get("DeletionProtection"):
        raise RuleError(f"somebody has protected {renewal.name} from deletion: ask who, and take that back first")
    if followers := promoted.get("ReadReplicaDBInstanceIdentifiers"):
        raise RuleError(f"{renewal.name} has replicas of its own by now ({', '.join(followers)}): see to these first")
    if promoted.get("PubliclyAccessible"):
        raise RuleError(f"{renewal.name} is publicly accessible, and no such replica is made: close it first")
    _refuse_barren(renewal)
    for key in {promoted.get("KmsKeyId"), promoted.get("PerformanceInsightsKMSKeyId")} - {None}:
        _refuse_locked(clients, str(key))
    refuse_full(clients, int(promoted["AllocatedStorage"]))


def busy(renewal: Renewal) -> str | None:
    """What RDS would not do at this moment and soon may: it renames, and replicates, only what is available."""
    for name, one in ((renewal.of, renewal.primary), (renewal.name, renewal.promoted)):
        if (status := one["DBInstanceStatus"]) != AVAILABLE:
            return f"{name} is {status}: nothing is done before that has passed"
    return None


def _refuse_barren(renewal: Renewal) -> None:
    """Refuse a primary that RDS makes no replica of."""
    if renewal.primary.get("ReadReplicaSourceDBInstanceIdentifier"):
        raise RuleError(f"{renewal.of} is a replica itself: look at the environment's file")
    if not renewal.primary.get("BackupRetentionPeriod"):
        raise RuleError(f"{renewal.of} keeps no backups, and RDS makes no replica of such: turn them on first")
    # RDS user guide, "Password management with Amazon RDS and AWS Secrets Manager", limitations
    if renewal.primary.get("MasterUserSecret"):
        raise RuleError(
            f"Secrets Manager keeps the password of {renewal.of}, and RDS makes no replica of such: take that over by "
            "hand first (aws rds modify-db-instance --no-manage-master-user-password)"
        )


def _refuse_locked(clients: Clients, key: str) -> None:
    """Refuse a key that RDS could not use for us (`kms:DescribeKey`): who may not look makes no grant of it either."""
    known = unless_denied(lambda: clients.client("kms").describe_key(KeyId=key)["KeyMetadata"])
    if known is None:
        raise RuleError(
            f"the role of recovery tests may not use key {key}: let it describe that, and make grants of it"
        )
    if known.get("KeyState", "Enabled") != "Enabled":
        raise RuleError(f"key {key} is {known['KeyState']}, so nothing can be made under it: enable it")
