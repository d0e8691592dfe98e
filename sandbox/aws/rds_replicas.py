"""Replicas on RDS and the names of instances, where moto differs from AWS: what is made or renamed takes time."""

from typing import Any

from moto.rds.exceptions import DBInstanceAlreadyExists, InvalidParameterCombination, RDSClientError
from moto.rds.models import DBCluster, DBInstance, RDSBackend

from sandbox.aws.rds_restores import default_groups
from sandbox.aws.rds_state import as_new, state_of
from sandbox.aws.rollout import LOCK

_create_db_instance_read_replica = RDSBackend.create_db_instance_read_replica
_OWN_GROUP = ("mysql", "db2", "oracle")


def create_db_instance_read_replica(backend: RDSBackend, db_kwargs: dict[str, Any]) -> DBInstance:
    """Create a replica in another zone than its source, with no mutable state shared (moto copies shallowly).

    Of a Multi-AZ DB cluster, too, where it is an instance that stands alone. RDS API CreateDBInstanceReadReplica:
    without backups, Multi-AZ, protection or tags but for what is asked; behind its VPC's default security group.
    """
    with LOCK:
        if cluster := db_kwargs.get("source_db_cluster_identifier"):
            return _replica_of_cluster(backend, backend.describe_db_clusters(cluster)[0], db_kwargs)
        name, given = db_kwargs["db_instance_identifier"], dict(db_kwargs)
        source = backend.describe_db_instances(given["source_db_instance_identifier"])[0]
        _refuse(backend, name, source, given)
        made = _create_db_instance_read_replica(backend, given)
        as_new(made)
        made.availability_zone = given.get("availability_zone") or f"{made.region}b"
        # moto shares the list with the source: a change to one would change the other
        groups = given.get("vpc_security_group_ids") or default_groups(backend, made) or made.vpc_security_group_ids
        made.vpc_security_group_ids = list(groups)
        made.tags = list(given.get("tags") or [])
        made.backup_retention_period = 0
        for flag in ("deletion_protection", "multi_az", "publicly_accessible"):
            setattr(made, flag, bool(given.get(flag)))
        state_of(made).begin("creating", lambda: None)
        return made


def rename(instance: DBInstance, name: str) -> None:
    """Give an instance another identifier, by which its endpoint is called and its replicas name their source.

    RDS user guide, "Renaming a DB instance": replicas, tags and snapshots stay its own, metrics stay under the name.
    """
    databases, old = instance.backend.databases, instance.db_instance_identifier
    databases[name] = databases.pop(old)
    instance.db_instance_identifier = name
    for other in databases.values():
        if other.source_db_instance_identifier == old:
            other.source_db_instance_identifier = name
        other.replicas[:] = [name if one == old else one for one in other.replicas]


def refuse_taken(backend: RDSBackend, name: str) -> None:
    """Two instances of an account and Region have two names."""
    if name in backend.databases:
        raise DBInstanceAlreadyExists


def status_infos(instance: DBInstance) -> list[dict[str, Any]]:
    """How a replica's replication is; blank for any other (RDS API DBInstance, StatusInfos)."""
    if not instance.is_replica or not state_of(instance).is_available:
        return []
    return [{"StatusType": "read replication", "Normal": True, "Status": "replicating"}]


def _refuse(backend: RDSBackend, name: str, source: DBInstance, given: dict[str, Any]) -> None:
    refuse_taken(backend, name)
    state_of(source).require_available("replicated")
    if not source.backup_retention_period:
        raise RDSClientError("InvalidDBInstanceState", "Automated backups are not enabled for this database instance.")
    # the answer as terraform-aws-modules/terraform-aws-rds has it in its issue 532; RDS user guide, "Password
    # management with Amazon RDS and AWS Secrets Manager", limitations: so for all engines but SQL Server
    if source.manage_master_user_password:
        raise RDSClientError(
            "InvalidParameterValue",
            f"Creating read replicas for source instance with engine {source.engine} where ManageMasterUserPassword is "
            "enabled is not supported.",
        )
    if given.get("db_parameter_group_name") and not source.engine.startswith(_OWN_GROUP):
        raise InvalidParameterCombination("DBParameterGroupName is not supported for a replica of this engine.")


def _replica_of_cluster(backend: RDSBackend, cluster: DBCluster, asked: dict[str, Any]) -> DBInstance:
    given = {name: value for name, value in asked.items() if name != "source_db_cluster_identifier"}
    made = backend.create_db_instance(given | {"engine": cluster.engine, "engine_version": cluster.engine_version})
    made.is_replica, made.availability_zone = True, f"{made.region}b"
    made.allocated_storage = cluster.allocated_storage
    vars(made)["read_replica_source_db_cluster_identifier"] = cluster.db_cluster_identifier
    return made
