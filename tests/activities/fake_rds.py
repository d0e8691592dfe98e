# ruff: noqa: N803
"""A primary and its replica on RDS, whose doings take effect at once and settle when told."""

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from tests.activities.checked import Checked
from tests.activities.scopes import ACCOUNT, REGION

PRIMARY, REPLICA, CLUSTER = "axis-db", "axis-db-replica", "axis-cluster"
FENCE, REPLICA_GROUP = "sg-0fence0000000001", "sg-0replica00000001"
WRITER, READER, FAR_READER = (f"{CLUSTER}-{number}" for number in (1, 2, 3))
_SETTLING = timedelta(minutes=15)


def address(identifier: str) -> str:
    return f"{identifier}.abcdefgh.{REGION}.rds.amazonaws.com"


class FakeRds(Checked):
    """`quick` promotes at once; otherwise only `settle` brings a promotion to its end, as AWS takes minutes.

    A failover has taken place when it is answered, and until `settle` the zone from before it is shown: "the AZ change
    might not be reflected … for several minutes" (RDS user guide, "Rebooting a DB instance"). `silent` keeps its events
    back, which are best effort (same guide, "Monitoring Amazon RDS events"). `settle` lets a quarter of an hour pass.
    """

    service = "rds"

    def __init__(self) -> None:
        self.quick = True
        self.silent = False
        self.declines = False
        self.instances = {PRIMARY: _instance(PRIMARY, FENCE), REPLICA: _instance(REPLICA, REPLICA_GROUP)}
        self.primary.update(SecondaryAvailabilityZone=f"{REGION}b", MultiAZ=True)
        self.primary["ReadReplicaDBInstanceIdentifiers"] = [REPLICA, "axis-db-reports"]
        self.replica.update(ReadReplicaSourceDBInstanceIdentifier=PRIMARY, BackupRetentionPeriod=0)
        self.cluster: dict[str, Any] | None = None
        self.snapshots: list[dict[str, Any]] = []
        self.classes = ["db.r6g.xlarge", "db.r6g.2xlarge"]
        self.insights = True
        self.offers: dict[str, Any] = {}
        self.several: list[dict[str, Any]] = [{}]  # a class has an option for each storage type and licence
        self.events: list[dict[str, Any]] = []
        self._passed = timedelta()
        self._late: dict[str, Any] = {}

    @property
    def primary(self) -> dict[str, Any]:
        return self.instances[PRIMARY]

    @property
    def replica(self) -> dict[str, Any]:
        return self.instances[REPLICA]

    @property
    def writer(self) -> str:
        """The cluster's writer, whatever is shown."""
        assert self.cluster is not None
        found: str = next(
            one["DBInstanceIdentifier"] for one in self.cluster["DBClusterMembers"] if one["IsClusterWriter"]
        )
        return found

    def join(self, engine: str = "postgres") -> None:
        """Put a cluster of a writer and two readers there: a Multi-AZ DB cluster, or with an Aurora engine Aurora."""
        for name, zone in ((WRITER, "a"), (READER, "a"), (FAR_READER, "b")):
            self.instances[name] = _instance(name, FENCE) | {
                "AvailabilityZone": f"{REGION}{zone}",
                "DBClusterIdentifier": CLUSTER,
                "Engine": engine,
                "PromotionTier": 1,
            }
        self.cluster = {
            "DBClusterIdentifier": CLUSTER,
            "DBClusterArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:{CLUSTER}",
            "Status": "available",
            "Engine": engine,
            "BackupRetentionPeriod": 14,
            "DBClusterMembers": [
                {"DBInstanceIdentifier": name, "IsClusterWriter": name == WRITER}
                for name in (WRITER, READER, FAR_READER)
            ],
        }

    def settle(self) -> None:
        """Let whatever is under way come to its end."""
        self._passed += _SETTLING
        self._late.clear()
        for instance in self.instances.values():
            instance.update(instance.pop("PendingModifiedValues", {}))
            if instance["DBInstanceStatus"] in {"rebooting", "modifying"}:
                instance["DBInstanceStatus"] = "available"
            if instance.pop("promoting", False):
                del instance["ReadReplicaSourceDBInstanceIdentifier"]
        if self.cluster:
            self.cluster["Status"] = "available"

    def happened(self, message: str, *categories: str, source: str = PRIMARY, ago: timedelta = timedelta()) -> None:
        """Let RDS record an event of a while ago."""
        kind = "db-cluster" if source == CLUSTER else "db-instance"
        event = {"SourceIdentifier": source, "SourceType": kind, "Message": message, "Date": self._now() - ago}
        self.events.append(event | {"EventCategories": list(categories)})

    def describe_db_instances(self, DBInstanceIdentifier: str) -> dict[str, Any]:
        if DBInstanceIdentifier not in self.instances:
            raise _error("DBInstanceNotFound", "DescribeDBInstances")
        shown = self._late if DBInstanceIdentifier == PRIMARY else {}
        return {"DBInstances": [self.instances[DBInstanceIdentifier] | shown]}

    def describe_db_clusters(self, DBClusterIdentifier: str) -> dict[str, Any]:
        if self.cluster is None or DBClusterIdentifier != CLUSTER:
            raise _error("DBClusterNotFoundFault", "DescribeDBClusters")
        return {"DBClusters": [dict(self.cluster)]}

    def describe_events(
        self,
        SourceIdentifier: str,
        SourceType: str,
        EventCategories: list[str],
        Duration: int = 60,
        StartTime: datetime | None = None,
    ) -> dict[str, Any]:
        since = StartTime or self._now() - timedelta(minutes=Duration)
        found = [
            one
            for one in self.events
            if (one["SourceIdentifier"], one["SourceType"]) == (SourceIdentifier, SourceType)
            and one["Date"] >= since
            and set(one["EventCategories"]) & set(EventCategories)
        ]
        return {"Events": found}

    def reboot_db_instance(self, DBInstanceIdentifier: str, ForceFailover: bool) -> dict[str, Any]:
        instance = self._available("RebootDBInstance", DBInstanceIdentifier)
        assert ForceFailover
        # a member "of a Multi-AZ DB cluster" is rebooted with its cluster (RDS API RebootDBInstance)
        if "DBClusterIdentifier" in instance or not instance["MultiAZ"]:
            raise _error("InvalidParameterCombination", "RebootDBInstance")
        if self.declines:
            self.happened("Abandoning user requested failover since a failover recently occurred.", "failover")
            return {}
        names = ("AvailabilityZone", "SecondaryAvailabilityZone")
        self._late = {name: instance[name] for name in names}
        instance.update(zip(names, reversed([*self._late.values()]), strict=True))
        if not self.silent:
            self.happened("Multi-AZ instance failover completed", "failover")
        return {}

    def failover_db_cluster(self, DBClusterIdentifier: str, TargetDBInstanceIdentifier: str) -> dict[str, Any]:
        assert self.cluster is not None
        assert DBClusterIdentifier == CLUSTER
        if self.cluster["Status"] != "available":
            raise _error("InvalidDBClusterStateFault", "FailoverDBCluster")
        if self.instances[TargetDBInstanceIdentifier]["DBInstanceStatus"] != "available":
            raise _error("InvalidDBInstanceState", "FailoverDBCluster")
        self.cluster["Status"] = "failing-over"
        for member in self.cluster["DBClusterMembers"]:
            member["IsClusterWriter"] = member["DBInstanceIdentifier"] == TargetDBInstanceIdentifier
        self.happened(f"Completed failover to DB instance: {TargetDBInstanceIdentifier}", "failover", source=CLUSTER)
        return {}

    def modify_db_instance(
        self,
        DBInstanceIdentifier: str,
        ApplyImmediately: bool,
        DBInstanceClass: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        instance = self._available("ModifyDBInstance", DBInstanceIdentifier)
        assert ApplyImmediately
        assert DBInstanceClass
        assert not more
        # the members of a Multi-AZ DB cluster are modified with it (RDS user guide, "Modifying a Multi-AZ DB cluster")
        if "DBClusterIdentifier" in instance or (instance.get("PerformanceInsightsEnabled") and not self.insights):
            raise _error("InvalidParameterCombination", "ModifyDBInstance")
        instance["PendingModifiedValues"] = {"DBInstanceClass": DBInstanceClass}
        instance["DBInstanceStatus"] = "modifying"
        return {}

    def promote_read_replica(self, DBInstanceIdentifier: str, BackupRetentionPeriod: int) -> dict[str, Any]:
        instance = self._available("PromoteReadReplica", DBInstanceIdentifier)
        instance.update(BackupRetentionPeriod=BackupRetentionPeriod, promoting=True, DBInstanceStatus="modifying")
        if self.quick:
            self.settle()
        return {}

    def describe_db_snapshots(self, DBInstanceIdentifier: str) -> dict[str, Any]:
        assert DBInstanceIdentifier == PRIMARY
        return {"DBSnapshots": self.snapshots}

    def describe_orderable_db_instance_options(
        self,
        Engine: str,
        EngineVersion: str,
        DBInstanceClass: str | None = None,
        MaxRecords: int = 100,
    ) -> dict[str, Any]:
        assert (Engine, EngineVersion) == ("postgres", "16.4")
        zones = [{"Name": f"{REGION}{letter}"} for letter in "abc"]
        told = {"AvailabilityZones": zones, "MultiAZCapable": True, "SupportsPerformanceInsights": self.insights}
        told |= self.offers
        named = [name for name in self.classes if DBInstanceClass in {None, name}]
        found = [{"DBInstanceClass": name} | told | one for name in named for one in self.several]
        return {"OrderableDBInstanceOptions": found[:MaxRecords]}

    def _available(self, operation: str, identifier: str) -> dict[str, Any]:
        instance = self.instances[identifier]
        if instance["DBInstanceStatus"] != "available":
            raise _error("InvalidDBInstanceState", operation)
        return instance

    def _now(self) -> datetime:
        return datetime.now(UTC) + self._passed


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as RDS would say"}}, operation)


def snapshot(name: str, at: datetime = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)) -> dict[str, Any]:
    return {"DBSnapshotIdentifier": name, "SnapshotCreateTime": at, "Status": "available"}


def _instance(identifier: str, group: str) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": identifier,
        "DBInstanceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{identifier}",
        "DBInstanceStatus": "available",
        "DBInstanceClass": "db.r6g.xlarge",
        "Engine": "postgres",
        "EngineVersion": "16.4",
        "AllocatedStorage": 500,
        "BackupRetentionPeriod": 14,
        "MultiAZ": False,
        "AvailabilityZone": f"{REGION}a",
        "Endpoint": {"Address": address(identifier), "Port": 5432},
        "VpcSecurityGroups": [{"VpcSecurityGroupId": group, "Status": "active"}],
    }
