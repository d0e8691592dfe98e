"""Snapshots on RDS, where moto differs from AWS: they take time, have a quota, and not all can be shared."""

from typing import Any

from moto.core.responses import ActionResult
from moto.kms.models import kms_backends
from moto.rds.exceptions import (
    InvalidParameterCombination,
    InvalidParameterValue,
    KMSKeyNotAccessibleFault,
    RDSClientError,
)
from moto.rds.models import DBClusterSnapshot, DBSnapshot, RDSBackend
from moto.rds.responses import RDSResponse

from sandbox.aws.moto_patch import patch
from sandbox.aws.rds_clusters import refuse_member
from sandbox.aws.rds_restores import as_unusable
from sandbox.aws.rds_state import AVAILABLE, state_of
from sandbox.aws.rollout import LOCK, PACE, moment

_Snapshot = DBSnapshot | DBClusterSnapshot
_MOTOS = {name: getattr(RDSBackend, name) for name in dir(RDSBackend) if "snapshot" in name}
_MANUAL = "manual"
MOST = {"DBInstances": 40, "AllocatedStorage": 100_000}
"""RDS user guide, "Quotas in Amazon RDS": instances, and their storage in GiB."""
_QUICKER = 10
"""How much less time a snapshot takes here than a rollout: nobody here waits for hours."""


def install() -> None:
    """Patch moto with these operations."""
    patch(
        RDSBackend,
        create_db_snapshot=create_db_snapshot,
        create_db_cluster_snapshot=create_db_cluster_snapshot,
        copy_db_snapshot=copy_db_snapshot,
        copy_db_cluster_snapshot=copy_db_cluster_snapshot,
        describe_db_snapshots=describe_db_snapshots,
        describe_db_cluster_snapshots=describe_db_cluster_snapshots,
        modify_db_snapshot_attribute=modify_db_snapshot_attribute,
        modify_db_cluster_snapshot_attribute=modify_db_cluster_snapshot_attribute,
    )
    patch(RDSResponse, describe_account_attributes=describe_account_attributes)


def create_db_snapshot(
    backend: RDSBackend,
    db_instance_identifier: str,
    db_snapshot_identifier: str,
    snapshot_type: str = _MANUAL,
    **more: Any,
) -> DBSnapshot:
    """Take a snapshot, which takes time; of no member of a cluster, and of no instance that is busy.

    RDS API CreateDBSnapshot: "must be in the available or storage-optimization state". For members see the report in
    cloud-custodian's issue 313: use CreateDBClusterSnapshot instead.
    """
    with LOCK:
        instance = backend.databases.get(db_instance_identifier)
        if instance is not None and snapshot_type == _MANUAL:
            refuse_member(instance, "InvalidParameterValue", "use CreateDBClusterSnapshot instead")
            if state_of(instance).status not in {AVAILABLE, "storage-optimization"}:
                raise RDSClientError("InvalidDBInstanceState", f"{db_instance_identifier} is {instance.status}.")
        made: DBSnapshot = _MOTOS["create_db_snapshot"](
            backend, db_instance_identifier, db_snapshot_identifier, snapshot_type, **more
        )
        if snapshot_type == _MANUAL:
            _begin(made, "creating")
        return made


def create_db_cluster_snapshot(backend: RDSBackend, *args: Any, snapshot_type: str = _MANUAL, **more: Any) -> Any:
    """Take a snapshot of a whole cluster, which takes time."""
    with LOCK:
        made = _MOTOS["create_db_cluster_snapshot"](backend, *args, snapshot_type=snapshot_type, **more)
        if snapshot_type == _MANUAL:
            _begin(made, "creating")
        return made


def copy_db_snapshot(backend: RDSBackend, **asked: Any) -> DBSnapshot:
    """Copy a snapshot that is available, which takes time, under a key that is enabled (RDS API CopyDBSnapshot)."""
    # moto does not find one by its ARN, by which a shared one is named
    name = asked["source_db_snapshot_identifier"].rsplit(":snapshot:", 1)[-1]
    source = backend.get_db_snapshot(name)
    made: DBSnapshot = _copied(backend, "copy_db_snapshot", source, asked | {"source_db_snapshot_identifier": name})
    as_unusable(made, source)
    return made


def copy_db_cluster_snapshot(backend: RDSBackend, **asked: Any) -> DBClusterSnapshot:
    """Copy a snapshot of a cluster in the same way, but encrypt no copy of one that is not encrypted.

    RDS API CopyDBClusterSnapshot, KmsKeyId: "If you copy an unencrypted DB cluster snapshot and specify a value for the
    KmsKeyId parameter, an error is returned." Which one is not documented.
    """
    source = backend.get_db_cluster_snapshot(asked["source_db_cluster_snapshot_identifier"])
    if asked.get("kms_key_id") and not source.encrypted:
        raise InvalidParameterCombination("KmsKeyId cannot be specified for an unencrypted DB cluster snapshot.")
    made: DBClusterSnapshot = _copied(backend, "copy_db_cluster_snapshot", source, asked)
    return made


def describe_db_snapshots(backend: RDSBackend, *args: Any, **kwargs: Any) -> list[DBSnapshot]:
    """Describe snapshots as they stand now."""
    return _settled(_MOTOS["describe_db_snapshots"](backend, *args, **kwargs))


def describe_db_cluster_snapshots(backend: RDSBackend, *args: Any, **kwargs: Any) -> list[DBClusterSnapshot]:
    """Describe snapshots of clusters as they stand now."""
    return _settled(_MOTOS["describe_db_cluster_snapshots"](backend, *args, **kwargs))


def modify_db_snapshot_attribute(backend: RDSBackend, db_snapshot_identifier: str, *args: Any, **more: Any) -> Any:
    """Share a snapshot, but none that AWS's own key encrypts."""
    _refuse_unsharable(backend, backend.get_db_snapshot(db_snapshot_identifier))
    return _MOTOS["modify_db_snapshot_attribute"](backend, db_snapshot_identifier, *args, **more)


def modify_db_cluster_snapshot_attribute(
    backend: RDSBackend, db_cluster_snapshot_identifier: str, *args: Any, **more: Any
) -> Any:
    """Share a snapshot of a cluster, but none that AWS's own key encrypts."""
    _refuse_unsharable(backend, backend.get_db_cluster_snapshot(db_cluster_snapshot_identifier))
    return _MOTOS["modify_db_cluster_snapshot_attribute"](backend, db_cluster_snapshot_identifier, *args, **more)


def describe_account_attributes(response: RDSResponse) -> ActionResult:
    """Count the manual snapshots against what an account may keep (RDS API DescribeAccountAttributes)."""
    backend = response.backend
    kept: dict[str, Any] = {
        "ManualSnapshots": backend.database_snapshots,
        "ManualClusterSnapshots": backend.cluster_snapshots,
    }
    instances = list(backend.databases.values())
    used = {"DBInstances": len(instances), "AllocatedStorage": sum(int(one.allocated_storage) for one in instances)}
    quotas = [{"AccountQuotaName": name, "Used": used[name], "Max": most} for name, most in MOST.items()]
    quotas += [
        {
            "AccountQuotaName": name,
            "Used": sum(one.snapshot_type == _MANUAL for one in found.values()),
            "Max": backend.SNAPSHOT_QUOTA,
        }
        for name, found in kept.items()
    ]
    return ActionResult({"AccountQuotas": quotas})


def _copied(backend: RDSBackend, operation: str, source: _Snapshot, asked: dict[str, Any]) -> Any:
    with LOCK:
        if _settled([source])[0].status != AVAILABLE:
            raise RDSClientError("InvalidDBSnapshotState", "The source snapshot is not available.")
        key = asked.get("kms_key_id")
        if key and not _key(backend, key).enabled:
            raise KMSKeyNotAccessibleFault(key)
        made = _MOTOS[operation](backend, **asked)
        _begin(made, "copying")
        return made


def _begin(made: _Snapshot, status: str) -> None:
    made.status, vars(made)["began_at"] = status, moment()


def _settled(found: list[Any]) -> list[Any]:
    for one in found:
        began = vars(one).get("began_at")
        if began is not None and one.status in {"creating", "copying"} and moment() >= began + PACE.rollout / _QUICKER:
            one.status = AVAILABLE
    return found


def _refuse_unsharable(backend: RDSBackend, snapshot: _Snapshot) -> None:
    """RDS user guide, "Sharing encrypted snapshots": none of the account's default key; the code is not documented."""
    if snapshot.encrypted and (not snapshot.kms_key_id or _key(backend, snapshot.kms_key_id) is None):
        raise InvalidParameterValue(
            "Sharing snapshots encrypted with the default service key for RDS is not supported."
        )


def _key(backend: RDSBackend, key: str) -> Any:
    """One of the account's own keys; None for AWS's."""
    found = kms_backends[backend.account_id][backend.region_name].keys.get(key.rsplit("/", 1)[-1])
    return found if found is not None and found.key_manager == "CUSTOMER" else None
