"""A primary and its replica on RDS, whose doings take effect at once and settle when told."""

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from tests.activities.checked import Checked
from tests.activities.scopes import ACCOUNT, REGION

PRIMARY, REPLICA = "axis-db", "axis-db-replica"
FENCE, REPLICA_GROUP = "sg-0fence0000000001", "sg-0replica00000001"


def address(identifier: str) -> str:
    return f"{identifier}.abcdefgh.{REGION}.rds.amazonaws.com"


class FakeRds(Checked):
    """`quick` promotes at once; otherwise only `settle` brings a promotion to its end, as AWS takes minutes."""

    service = "rds"

    def __init__(self) -> None:
        self.quick = True
        self.instances = {PRIMARY: _instance(PRIMARY, FENCE), REPLICA: _instance(REPLICA, REPLICA_GROUP)}
        self.primary.update(SecondaryAvailabilityZone=f"{REGION}b", MultiAZ=True)
        self.primary["ReadReplicaDBInstanceIdentifiers"] = [REPLICA, "axis-db-reports"]
        self.replica.update(ReadReplicaSourceDBInstanceIdentifier=PRIMARY, BackupRetentionPeriod=0)
        self.snapshots: list[dict[str, Any]] = []
        self.classes = ["db.r6g.xlarge", "db.r6g.2xlarge"]

    @property
    def primary(self) -> dict[str, Any]:
        return self.instances[PRIMARY]

    @property
    def replica(self) -> dict[str, Any]:
        return self.instances[REPLICA]

    def settle(self) -> None:
        """Let whatever is under way come to its end."""
        for instance in self.instances.values():
            instance.update(instance.pop("PendingModifiedValues", {}))
            if instance["DBInstanceStatus"] in {"rebooting", "modifying"}:
                instance["DBInstanceStatus"] = "available"
            if instance.pop("promoting", False):
                del instance["ReadReplicaSourceDBInstanceIdentifier"]

    def describe_db_instances(self, DBInstanceIdentifier: str) -> dict[str, Any]:  # noqa: N803
        if DBInstanceIdentifier not in self.instances:
            raise _error("DBInstanceNotFound", "DescribeDBInstances")
        return {"DBInstances": [dict(self.instances[DBInstanceIdentifier])]}

    def reboot_db_instance(self, DBInstanceIdentifier: str, ForceFailover: bool) -> dict[str, Any]:  # noqa: N803
        instance = self._available("RebootDBInstance", DBInstanceIdentifier)
        assert ForceFailover
        zones = instance["SecondaryAvailabilityZone"], instance["AvailabilityZone"]
        instance.update(DBInstanceStatus="rebooting")
        instance["AvailabilityZone"], instance["SecondaryAvailabilityZone"] = zones
        return {}

    def modify_db_instance(
        self,
        DBInstanceIdentifier: str,  # noqa: N803
        DBInstanceClass: str,  # noqa: N803
        ApplyImmediately: bool,  # noqa: N803
    ) -> dict[str, Any]:
        instance = self._available("ModifyDBInstance", DBInstanceIdentifier)
        assert ApplyImmediately
        instance["PendingModifiedValues"] = {"DBInstanceClass": DBInstanceClass}
        instance["DBInstanceStatus"] = "modifying"
        return {}

    def promote_read_replica(self, DBInstanceIdentifier: str, BackupRetentionPeriod: int) -> dict[str, Any]:  # noqa: N803
        instance = self._available("PromoteReadReplica", DBInstanceIdentifier)
        instance.update(BackupRetentionPeriod=BackupRetentionPeriod, promoting=True, DBInstanceStatus="modifying")
        if self.quick:
            self.settle()
        return {}

    def describe_db_snapshots(self, DBInstanceIdentifier: str) -> dict[str, Any]:  # noqa: N803
        assert DBInstanceIdentifier == PRIMARY
        return {"DBSnapshots": self.snapshots}

    def describe_orderable_db_instance_options(
        self,
        Engine: str,  # noqa: N803
        EngineVersion: str,  # noqa: N803
        DBInstanceClass: str | None = None,  # noqa: N803
        MaxRecords: int = 100,  # noqa: N803
    ) -> dict[str, Any]:
        assert (Engine, EngineVersion) == ("postgres", "16.4")
        zones = [{"Name": f"{REGION}{letter}"} for letter in "abc"]
        found = [
            {"DBInstanceClass": name, "AvailabilityZones": zones, "MultiAZCapable": True}
            for name in self.classes
            if DBInstanceClass in {None, name}
        ]
        return {"OrderableDBInstanceOptions": found[:MaxRecords]}

    def _available(self, operation: str, identifier: str) -> dict[str, Any]:
        instance = self.instances[identifier]
        if instance["DBInstanceStatus"] != "available":
            raise _error("InvalidDBInstanceState", operation)
        return instance


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as RDS would say"}}, operation)


def snapshot(name: str, at: datetime = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)) -> dict[str, Any]:
    return {"DBSnapshotIdentifier": name, "SnapshotCreateTime": at}


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
