"""A database of the environment as RDS shows it: the instance that takes writes, and the cluster that it belongs to."""

from typing import Any, NamedTuple

from activities.action import Clients, RuleError
from activities.aws.database.database_state import remedy, serves
from activities.aws.shared.pages import Pages
from domain.config.environment import Database, Environment

AVAILABLE = "available"
_IN_FORCE = "in-sync"
_GOES_WITH = {
    "DedicatedLogVolume": "SupportsDedicatedLogVolume",
    "Encrypted": "SupportsStorageEncryption",
    "IAMDatabaseAuthenticationEnabled": "SupportsIAMDatabaseAuthentication",
    "MaxAllocatedStorage": "SupportsStorageAutoscaling",
    "MonitoringInterval": "SupportsEnhancedMonitoring",
    "MultiAZ": "MultiAZCapable",
    "PerformanceInsightsEnabled": "SupportsPerformanceInsights",
    "StorageEncrypted": "SupportsStorageEncryption",
}
"""What an instance or a snapshot may have, and what says that a class goes with it (API OrderableDBInstanceOption)."""
_AT_MOST = {
    "AllocatedStorage": "MaxStorageSize",
    "Iops": "MaxIopsPerDbInstance",
    "StorageThroughput": "MaxStorageThroughputPerDbInstance",
}
_AS_IT_IS = ("LicenseModel", "StorageType")


class Described(NamedTuple):
    """`instance` is the database, of a cluster its writer; `cluster` is None where the instance stands alone."""

    instance: dict[str, Any]
    cluster: dict[str, Any] | None

    @property
    def statuses(self) -> tuple[str, ...]:
        """How the database is: that of a cluster first, as its members may well be available while it fails over."""
        cluster = (str(self.cluster["Status"]),) if self.cluster else ()
        return (*cluster, str(self.instance.get("DBInstanceStatus", "unknown")))

    @property
    def worst_status(self) -> str:
        """The first status in which it does not serve; else that it is available."""
        return next((one for one in self.statuses if not serves(one)), self.statuses[-1])

    @property
    def has_standby(self) -> bool:
        """Whether something can take over at once: a standby in another zone, or a reader of the cluster."""
        readers = self.cluster and len(self.cluster.get("DBClusterMembers", [])) > 1
        return bool(readers) or bool(self.instance.get("MultiAZ"))


def found(clients: Clients, database: Database) -> Described:
    """Describe a database (`rds:DescribeDBInstances`, and of a cluster or its member `rds:DescribeDBClusters`).

    Raises `DBInstanceNotFound` or `DBClusterNotFoundFault`, which are final, and `RuleError` for a cluster of which
    RDS names no writer at the moment.
    """
    if not database.cluster:
        instance = described(clients, database.identifier)
        name = instance.get("DBClusterIdentifier")
        return Described(instance, described_cluster(clients, name) if name else None)
    cluster = described_cluster(clients, database.identifier)
    name = writer(cluster)
    if name is None:
        raise RuleError(f"RDS names no writer of {database.identifier} at the moment: look again")
    return Described(described(clients, name), cluster)


def instance_name(clients: Clients, database: Database) -> str:
    """The identifier that metrics and logs stand under: of a cluster, that of its writer."""
    return str(found(clients, database).instance["DBInstanceIdentifier"]) if database.cluster else database.identifier


def described(clients: Clients, identifier: str) -> dict[str, Any]:
    """Describe one instance (`rds:DescribeDBInstances`); raises `DBInstanceNotFound`, which is final."""
    return dict(clients.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0])


def described_cluster(clients: Clients, identifier: str) -> dict[str, Any]:
    """Describe one cluster (`rds:DescribeDBClusters`); raises `DBClusterNotFoundFault`, which is final."""
    return dict(clients.client("rds").describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"][0])


def writer(cluster: dict[str, Any]) -> str | None:
    """The member of a cluster that takes writes, as RDS shows it."""
    members = cluster.get("DBClusterMembers", [])
    return next((str(one["DBInstanceIdentifier"]) for one in members if one.get("IsClusterWriter")), None)


def refuse_member(instance: dict[str, Any], name: str, instead: str) -> None:
    """Refuse what RDS does to instances that stand alone, and not to the members of a cluster."""
    if cluster := instance.get("DBClusterIdentifier"):
        raise RuleError(f"{name} is a member of cluster {cluster}: {instead}")


def refuse_custom(instance: dict[str, Any], name: str, doing: str) -> None:
    """Refuse what does not apply to RDS Custom (RDS API RebootDBInstance, PromoteReadReplica, ModifyDBInstance)."""
    if str(engine := instance.get("Engine", "")).startswith("custom-"):
        raise RuleError(f"{name} is of RDS Custom ({engine}), and RDS does not {doing} that: do it by hand")


def unnamed_cluster(environment: Environment, place: Described) -> str | None:
    """Why nothing is done to a database's cluster: the environment's file does not name it, so that no role may."""
    name = place.cluster and str(place.cluster["DBClusterIdentifier"])
    if name is None or any(one.cluster and one.identifier == name for one in environment.databases.values()):
        return None
    return f"is a member of cluster {name}: name that in the environment's file, with cluster: true"


def refuse_unnamed(environment: Environment, name: str, place: Described) -> None:
    """Refuse what would be done to a cluster that the environment's file does not name."""
    if why := unnamed_cluster(environment, place):
        raise RuleError(f"{name} {why}")


def refuse_busy(name: str, doing: str, *statuses: str) -> None:
    """Refuse what RDS does only to what is available, and say what helps."""
    for status in statuses:
        if status != AVAILABLE:
            raise RuleError(
                f"{name} is {status}, and RDS {doing} only what is available: {remedy(status) or 'wait for it'}"
            )


def offered(clients: Clients, instance: dict[str, Any], wanted: str) -> list[dict[str, Any]] | None:
    """The options of a class for an instance's engine (`rds:DescribeOrderableDBInstanceOptions`).

    Empty where AWS does not offer it; None where it lists no class of that engine at all, which says nothing.
    """
    engine = {"Engine": instance["Engine"], "EngineVersion": instance["EngineVersion"]}
    describe = clients.client("rds").describe_orderable_db_instance_options
    pages = Pages(describe, cursor="Marker", **engine, DBInstanceClass=wanted)
    listed = list(pages.items("OrderableDBInstanceOptions"))
    if found := [one for one in listed if one["DBInstanceClass"] == wanted]:
        return found
    return [] if listed or describe(**engine, MaxRecords=20)["OrderableDBInstanceOptions"] else None


def misfits(one: dict[str, Any], options: list[dict[str, Any]]) -> list[str]:
    """What an instance or a snapshot has that a class does not go with, by the option that comes closest to it.

    RDS refuses such a combination (`InvalidParameterCombination`); what an option does not tell is taken to fit.
    """
    return min((_lacking(one, option) for option in options), key=len, default=[])


def _lacking(one: dict[str, Any], option: dict[str, Any]) -> list[str]:
    without = [name for name, flag in _GOES_WITH.items() if one.get(name) and option.get(flag) is False]
    more = [name for name, most in _AT_MOST.items() if most in option and int(one.get(name) or 0) > int(option[most])]
    other = [name for name in _AS_IT_IS if None not in (one.get(name), option.get(name)) and one[name] != option[name]]
    return [*without, *more, *other]


def pending(instance: dict[str, Any]) -> list[str]:
    """Name the changes that wait for the maintenance window, or for whatever is applied at once next."""
    return sorted(instance.get("PendingModifiedValues") or {})


def parameters(instance: dict[str, Any]) -> list[str]:
    """The parameter groups of an instance that are not in force, each with its status (RDS API DBParameterGroupStatus).

    `pending-reboot` comes with the next reboot, a failover among them; `failed-to-apply` does not come.
    """
    shown = instance.get("DBParameterGroups", [])
    groups = [(one.get("DBParameterGroupName"), one.get("ParameterApplyStatus")) for one in shown]
    return [f"{name}: {status}" for name, status in groups if status != _IN_FORCE]
