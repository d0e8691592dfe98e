"""Amazon RDS, where moto differs from AWS: changes take time, and what AWS refuses is refused.

A promoted replica stops being one, a failover swaps zones, a modification waits for its window or is applied at once.
Logs and events are in `sandbox.aws.rds_records`, clusters and snapshots in modules of their own.
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.rds.exceptions import DBInstanceNotFoundError, RDSClientError
from moto.rds.models import DBInstance, RDSBackend
from moto.rds.responses import RDSResponse

from sandbox.aws import rds_clusters, rds_records, rds_replicas, rds_restores, rds_snapshots
from sandbox.aws.moto_patch import patch
from sandbox.aws.rds_clusters import refuse_member
from sandbox.aws.rds_state import NAME, PENDING, as_new, state_of
from sandbox.aws.rollout import LOCK, moment

_create_db_instance = RDSBackend.create_db_instance
_describe_db_instances = RDSBackend.describe_db_instances
_modify_db_instance = RDSBackend.modify_db_instance
_promote_read_replica = RDSBackend.promote_read_replica

_NEEDS_AVAILABLE = {*PENDING, "enable_performance_insights"}
_CLASSES = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
_STORAGE = ("gp2", "gp3", "io1", "io2")


def install() -> None:
    """Patch moto with these operations."""
    rds_clusters.install()
    rds_snapshots.install()
    rds_restores.install()
    patch(
        RDSBackend,
        create_db_instance=create_db_instance,
        create_db_instance_read_replica=rds_replicas.create_db_instance_read_replica,
        describe_db_instances=describe_db_instances,
        modify_db_instance=modify_db_instance,
        promote_read_replica=promote_read_replica,
    )
    patch(
        DBInstance,
        pending_modified_values=property(lambda instance: state_of(instance).shown_pending()),
        secondary_availability_zone=property(lambda instance: state_of(instance).standby_zone),
        latest_restorable_time=property(lambda instance: state_of(instance).restorable()),
        status_infos=property(rds_replicas.status_infos),
        db_parameter_group_status_list=property(parameter_groups),
    )
    patch(
        RDSResponse,
        reboot_db_instance=reboot_db_instance,
        describe_orderable_db_instance_options=describe_orderable_db_instance_options,
        **rds_records.OPERATIONS,
    )


def create_db_instance(backend: RDSBackend, db_kwargs: dict[str, Any]) -> DBInstance:
    """Create an instance; a Multi-AZ one has its standby in the next zone."""
    made = as_new(_create_db_instance(backend, db_kwargs))
    if made.multi_az:
        state_of(made).standby_zone = f"{made.region}b"
    return made


def parameter_groups(instance: DBInstance) -> list[dict[str, str]]:
    """The parameter group of an instance; another one is in force after a reboot alone (RDS API ModifyDBInstance)."""
    status = "pending-reboot" if state_of(instance).waits_for_reboot else "in-sync"
    groups = instance.db_parameter_groups()
    return [{"DBParameterGroupName": one.name, "ParameterApplyStatus": status} for one in groups]


def describe_db_instances(backend: RDSBackend, *args: Any, **kwargs: Any) -> list[DBInstance]:
    """Describe instances as they stand now."""
    with LOCK:
        for instance in list(backend.databases.values()):
            state_of(instance).settle()  # what is deleted by now is gone
        return list(_describe_db_instances(backend, *args, **kwargs))


def reboot_db_instance(response: RDSResponse) -> ActionResult:
    """Reboot; after a failover the primary is in its standby's zone."""
    with LOCK:
        instance = response.backend.describe_db_instances(response.params.get("DBInstanceIdentifier"))[0]
        state = state_of(instance)
        state.require_available("rebooted")
        forced = response.params.get("ForceFailover") in {True, "true"}
        if forced:
            # RDS API RebootDBInstance: of a Multi-AZ DB cluster, the cluster is rebooted
            refuse_member(instance, "InvalidParameterCombination", "fail its cluster over instead")
        if forced and not instance.multi_az:
            raise RDSClientError("InvalidParameterCombination", "ForceFailover cannot be specified: it is not MultiAZ.")
        began = moment()
        started = (
            ("Multi-AZ instance failover started.", "failover") if forced else ("DB instance shutdown", "availability")
        )
        state.add_event(*started)

        def finish() -> None:
            if forced and state.standby_zone:
                # RDS user guide, "Rebooting a DB instance": the zone from before may be shown for several minutes
                state.show_later(began, swap)
                state.add_event("Multi-AZ instance failover completed", "failover")
            state.exhausted_at = None  # a restart closes every connection
            state.waits_for_reboot = False
            state.unreached_at = None if forced else state.unreached_at
            state.add_event("DB instance restarted", "availability")

        def swap() -> None:
            if state.standby_zone:
                instance.availability_zone, state.standby_zone = state.standby_zone, instance.availability_zone

        state.begin("rebooting", finish)
        return ActionResult({"DBInstance": instance})


def modify_db_instance(backend: RDSBackend, db_instance_identifier: str, db_kwargs: dict[str, Any]) -> DBInstance:
    """Modify: what needs the maintenance window waits for it; ApplyImmediately applies it and all that is pending.

    A new name is of this kind too (RDS API ModifyDBInstance, NewDBInstanceIdentifier).
    """
    with LOCK:
        instance = backend.describe_db_instances(db_instance_identifier)[0]
        state = state_of(instance)
        given = dict(db_kwargs)
        waiting = {
            name: given.pop(name)
            for name in PENDING
            if given.get(name) is not None and given[name] != getattr(instance, name, None)
        }
        if name := waiting.get(NAME):
            rds_replicas.refuse_taken(backend, name)
        groups = [one["DBParameterGroupName"] for one in parameter_groups(instance)]
        if given.get("db_parameter_group_name") not in {None, *groups}:
            state.waits_for_reboot = True
        if waiting:
            # RDS user guide, "Modifying a Multi-AZ DB cluster": its members are modified with it
            refuse_member(instance, "InvalidParameterCombination", "modify its cluster instead")
        if set(db_kwargs) & _NEEDS_AVAILABLE:
            state.require_available("modified")
        made = _modify_db_instance(backend, db_instance_identifier, given)
        state.pending.update(waiting)
        if state.pending and given.get("apply_immediately"):

            def finish() -> None:
                if new := state.pending.pop(NAME, None):
                    rds_replicas.rename(instance, new)
                state.apply_pending()
                state.add_event("Finished applying modification to DB instance class", "configuration change")

            state.begin("renaming" if NAME in state.pending else "modifying", finish)
        return made


def promote_read_replica(backend: RDSBackend, db_kwargs: dict[str, Any]) -> DBInstance:
    """Promote a replica, which takes time; an unknown instance and one that is no replica are refused."""
    with LOCK:
        identifier = db_kwargs["db_instance_identifier"]
        instance = backend.databases.get(identifier)
        if instance is None:
            raise DBInstanceNotFoundError(identifier)
        state = state_of(instance)
        state.settle()
        if not instance.is_replica:
            raise RDSClientError("InvalidDBInstanceState", "DB Instance is not a read replica")
        state.require_available("promoted")
        source = backend.databases.get(instance.source_db_instance_identifier or "")

        def finish() -> None:
            _promote_read_replica(backend, {**db_kwargs, "backup_retention_period": _retention(db_kwargs)})
            instance.source_db_instance_identifier = None
            # moto leaves a promoted replica in its source's list
            if source is not None and identifier in source.replicas:
                source.replicas.remove(identifier)
            state.add_event("Promoted read replica to a standalone DB instance.", "read replica")

        state.begin("modifying", finish)
        return instance


def describe_orderable_db_instance_options(response: RDSResponse) -> ActionResult:
    """List the classes of one family for PostgreSQL, in every zone of the region.

    Each kind of storage that a class goes with is an option of its own (RDS API OrderableDBInstanceOption).
    """
    wanted = response.params.get("DBInstanceClass")
    engine, version = response.params.get("Engine"), response.params.get("EngineVersion")
    zones = [{"Name": f"{response.region}{letter}"} for letter in "abc"]
    options = [
        {
            "Engine": engine,
            "EngineVersion": version,
            "DBInstanceClass": f"db.r6g.{size}",
            "AvailabilityZones": zones,
            "MultiAZCapable": True,
            "ReadReplicaCapable": True,
            "Vpc": True,
            "StorageType": storage,
            "SupportsPerformanceInsights": True,
        }
        for size in _CLASSES
        for storage in _STORAGE
        if engine == "postgres" and wanted in {None, f"db.r6g.{size}"}
    ]
    return ActionResult({"OrderableDBInstanceOptions": options})


def _retention(db_kwargs: dict[str, Any]) -> int:
    """RDS enables backups of a promoted instance, for one day by default."""
    return int(db_kwargs.get("backup_retention_period") or 1)
