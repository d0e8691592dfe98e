"""Restoring a snapshot on RDS, and deleting what was restored, where moto differs from AWS: both take time."""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.kms.models import kms_backends
from moto.rds.exceptions import DBInstanceNotFoundError, KMSKeyNotAccessibleFault, RDSClientError
from moto.rds.models import DBInstance, DBSnapshot, RDSBackend

from sandbox.aws.moto_patch import patch
from sandbox.aws.rds_state import AVAILABLE, state_of
from sandbox.aws.rollout import LOCK

_restore = RDSBackend.restore_db_instance_from_db_snapshot
_delete = RDSBackend.delete_db_instance
_GIVEN = ("backup_retention_period", "deletion_protection", "multi_az", "publicly_accessible")
_UNUSABLE = "unusable"
_RESTORED_FROM = "restored_from"


def install() -> None:
    """Patch moto with these operations."""
    patch(
        RDSBackend,
        restore_db_instance_from_db_snapshot=restore_db_instance_from_db_snapshot,
        delete_db_instance=delete_db_instance,
    )


def restore_db_instance_from_db_snapshot(
    backend: RDSBackend, from_snapshot_id: str, overrides: dict[str, Any]
) -> DBInstance:
    """Restore a snapshot that is available and whose key is enabled, which takes time.

    Without a security group the instance gets its VPC's default one; it is not protected, in one zone, and publicly
    accessible, but for what is asked (RDS API RestoreDBInstanceFromDBSnapshot).
    """
    with LOCK:
        snapshot = backend.describe_db_snapshots(None, from_snapshot_id.rsplit(":snapshot:", 1)[-1])[0]
        if snapshot.status != AVAILABLE:
            raise RDSClientError("InvalidDBSnapshotState", f"{from_snapshot_id} is {snapshot.status}.")
        key = kms_backends[backend.account_id][backend.region_name].keys.get((snapshot.kms_key_id or "").split("/")[-1])
        if key is not None and not key.enabled:
            raise KMSKeyNotAccessibleFault(str(snapshot.kms_key_id))
        made = _restore(backend, snapshot.db_snapshot_identifier, overrides)
        for name in _GIVEN:  # moto takes over what is false from the source
            setattr(made, name, overrides.get(name) or False)
        if not overrides.get("vpc_security_group_ids"):
            made.vpc_security_group_ids = default_groups(backend, made)
        vars(made)[_RESTORED_FROM] = snapshot
        state, unusable = state_of(made), _UNUSABLE in vars(snapshot)

        def finish() -> None:
            # RDS user guide, "Viewing DB instance status": incompatible-restore, of which it is only deleted
            if unusable:
                made.status = "incompatible-restore"

        state.begin("creating", finish)
        return made


def delete_db_instance(backend: RDSBackend, db_instance_identifier: str, *args: Any, **more: Any) -> DBInstance:
    """Delete an instance that nobody protects, which takes time; none that is being deleted already."""
    with LOCK:
        instance = backend.databases.get(db_instance_identifier)
        if instance is None:
            raise DBInstanceNotFoundError(db_instance_identifier)
        state = state_of(instance)
        if state.status in {"creating", "deleting"}:
            raise RDSClientError("InvalidDBInstanceState", f"{db_instance_identifier} is {instance.status}.")
        if instance.deletion_protection:
            _delete(backend, db_instance_identifier, *args, **more)  # which refuses it
        state.begin("deleting", lambda: (_delete(backend, db_instance_identifier, *args, **more), None)[1])
        return instance


def unusable(snapshot: DBSnapshot) -> None:
    """Let a snapshot be one that RDS copies, and cannot restore."""
    vars(snapshot)[_UNUSABLE] = True


def usable(snapshot: DBSnapshot) -> None:
    """Let it be one that can be restored."""
    vars(snapshot).pop(_UNUSABLE, None)


def as_unusable(copy: DBSnapshot, source: DBSnapshot) -> None:
    """What is wrong with a snapshot is wrong with its copy."""
    if _UNUSABLE in vars(source):
        unusable(copy)


def restored_from(instance: DBInstance) -> DBSnapshot | None:
    """The snapshot that an instance was restored from; None for any other."""
    found: DBSnapshot | None = vars(instance).get(_RESTORED_FROM)
    return found


def default_groups(backend: RDSBackend, instance: DBInstance) -> list[str]:
    """The default security group of the VPC that an instance's subnet group is in."""
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    vpc = str(getattr(getattr(instance, "db_subnet_group", None), "vpc_id", ""))
    return [one.id for one in ec2.groups.get(vpc, {}).values() if one.name == "default"]
