"""Clusters on RDS, where moto differs from AWS: members come with them, and failing over takes time."""

from dataclasses import dataclass
from typing import Any

from moto.rds.exceptions import InvalidDBClusterStateFault, RDSClientError
from moto.rds.models import DBCluster, DBInstance, DBInstanceClustered, Event, RDSBackend

from sandbox.aws.moto_patch import patch
from sandbox.aws.rds_state import AVAILABLE, Operation, state_of
from sandbox.aws.rollout import LOCK, PACE, moment

_create_db_cluster = RDSBackend.create_db_cluster
_describe_db_clusters = RDSBackend.describe_db_clusters
_ZONES = "abc"
_FAILING_OVER = "failing-over"


@dataclass
class ClusterState:
    """A cluster over time: the failover in progress, if any."""

    cluster: DBCluster
    operation: Operation | None = None

    def settle(self) -> None:
        if self.operation and moment() >= self.operation.began_at + PACE.rollout:
            finish, self.operation = self.operation.finish, None
            self.cluster.status = AVAILABLE
            finish()


def install() -> None:
    """Patch moto with these operations."""
    patch(
        RDSBackend,
        create_db_cluster=create_db_cluster,
        describe_db_clusters=describe_db_clusters,
        failover_db_cluster=failover_db_cluster,
    )


def create_db_cluster(backend: RDSBackend, kwargs: dict[str, Any]) -> DBCluster:
    """Create a cluster; a Multi-AZ one (`DBClusterInstanceClass`) comes with a writer and two readers in other zones.

    RDS API CreateDBCluster, RDS user guide "Multi-AZ DB cluster deployments".
    """
    made = _create_db_cluster(backend, kwargs)
    made.status = AVAILABLE
    if made.db_cluster_instance_class:
        for number, zone in enumerate(_ZONES, start=1):
            backend.create_db_instance(
                {
                    "db_instance_identifier": f"{made.db_cluster_identifier}-instance-{number}",
                    "db_cluster_identifier": made.db_cluster_identifier,
                    "db_instance_class": made.db_cluster_instance_class,
                    "engine": made.engine,
                    "availability_zone": f"{made.region}{zone}",
                }
            )
    return made


def describe_db_clusters(backend: RDSBackend, *args: Any, **kwargs: Any) -> list[DBCluster]:
    """Describe clusters as they stand now."""
    with LOCK:
        found = _describe_db_clusters(backend, *args, **kwargs)
        for cluster in found:
            cluster_state_of(cluster).settle()
        return found


def failover_db_cluster(
    backend: RDSBackend, db_cluster_identifier: str, target_db_instance_identifier: str | None = None
) -> DBCluster:
    """Fail over to the reader named, which takes time; a cluster or reader that is busy is refused.

    A Multi-AZ DB cluster of MySQL takes no target (RDS API FailoverDBCluster).
    """
    with LOCK:
        cluster = backend.describe_db_clusters(db_cluster_identifier)[0]
        state = cluster_state_of(cluster)
        readers = [one for one in cluster.members if not one.is_cluster_writer and state_of(one).is_available]
        named = [one for one in readers if target_db_instance_identifier in {None, one.db_instance_identifier}]
        if cluster.engine == "mysql" and target_db_instance_identifier:
            raise RDSClientError("InvalidParameterCombination", "A target isn't supported for this cluster.")
        if cluster.status != AVAILABLE or not named:
            raise InvalidDBClusterStateFault(f"Cluster {db_cluster_identifier} has no such reader to fail over to now.")
        target = named[0]
        _add_event(cluster, f"Started cross AZ failover to DB instance: {target.db_instance_identifier}")

        def finish() -> None:
            cluster.failover(target)
            state_of(target).exhausted_at = None
            _add_event(cluster, f"Completed failover to DB instance: {target.db_instance_identifier}")

        cluster.status = _FAILING_OVER
        state.operation = Operation(moment(), finish)
        return cluster


def cluster_state_of(cluster: DBCluster) -> ClusterState:
    """The state of a moto cluster, stored on it; the copy that a snapshot holds gets its own."""
    kept: ClusterState | None = vars(cluster).get("cluster_state")
    if kept is None or kept.cluster is not cluster:
        kept = vars(cluster)["cluster_state"] = ClusterState(cluster)
    return kept


def writer(cluster: DBCluster) -> DBInstance:
    """The member that takes writes now."""
    cluster_state_of(cluster).settle()
    found: DBInstance = next(one for one in cluster.members if one.is_cluster_writer)
    return found


def refuse_member(instance: DBInstance, code: str, instead: str) -> None:
    """Refuse what RDS does to no member of a cluster."""
    if isinstance(instance, DBInstanceClustered):
        raise RDSClientError(code, f"Instance {instance.db_instance_identifier} is a member of a cluster: {instead}.")


def _add_event(cluster: DBCluster, message: str) -> None:
    """Add a failover event (Aurora user guide, "Amazon RDS event categories": RDS-EVENT-0071 and 0073)."""
    event = Event.__new__(Event)
    event.source_identifier, event.source_type = cluster.db_cluster_identifier, "db-cluster"
    event.message, event.event_categories = message, ["failover"]
    event.source_arn, event.date = cluster.db_cluster_arn, moment()
    cluster.backend.events.append(event)
