"""Tell whether a database instance is available."""

from datetime import datetime
from typing import Any

from activities.action import Clients, DatabaseParams, ProbeAction, iam
from activities.aws.shared.findings import suspect_if
from domain.model.activity_io import Scope
from domain.model.finding import Finding
from domain.values.timestamps import stamp_to_second

AVAILABLE = "available"
SERVING = frozenset(
    {
        AVAILABLE,
        "backing-up",
        "configuring-enhanced-monitoring",
        "configuring-iam-database-auth",
        "configuring-log-exports",
        "storage-optimization",
    }
)
"""Statuses in which RDS says that the instance can be used."""
FAILED = frozenset(
    {
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "insufficient-capacity",
        "restore-error",
    }
)
"""Statuses from which an instance does not come back by itself (RDS user guide, "Viewing DB instance status")."""


class DatabaseStatus(ProbeAction[DatabaseParams]):
    """Reads an instance's status, pending changes and backups.

    Suspect when the instance does not serve, or its replication is not normal. The endpoint and the values of pending
    changes are left out: `address_by` is the command by which a responder looks it up, with rights of their own.
    """

    name = "rds.status"
    permissions = iam("rds:DescribeDBInstances")

    def observe(self, scope: Scope, params: DatabaseParams, at: datetime) -> Finding:
        identifier = scope.environment.databases[params.database].identifier
        instance = described(self.clients, identifier)
        facts = {"database": params.database} | _facts(instance)
        facts["address_by"] = (
            f"aws rds describe-db-instances --db-instance-identifier {identifier} --region {scope.environment.region} "
            "--query 'DBInstances[0].Endpoint.Address' --output text"
        )
        troubled = facts["status"] not in SERVING or facts["not_normal"]
        evidence = instance.get("DBInstanceArn", identifier)
        return suspect_if(troubled, _summary(params.database, facts), facts, evidence)


def described(clients: Clients, identifier: str) -> dict[str, Any]:
    """Describe one instance (`rds:DescribeDBInstances`); raises `DBInstanceNotFound`, which is final."""
    return dict(clients.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0])


def pending(instance: dict[str, Any]) -> list[str]:
    """Name the changes that wait for the maintenance window, or for whatever is applied at once next."""
    return sorted(instance.get("PendingModifiedValues") or {})


def _facts(instance: dict[str, Any]) -> dict[str, Any]:
    infos = instance.get("StatusInfos", [])
    return {
        "identifier": instance["DBInstanceIdentifier"],
        "status": instance.get("DBInstanceStatus", "unknown"),
        "engine": f"{instance.get('Engine', '')} {instance.get('EngineVersion', '')}".strip(),
        "class": instance.get("DBInstanceClass"),
        "multi_az": bool(instance.get("MultiAZ")),
        "replica_of": instance.get("ReadReplicaSourceDBInstanceIdentifier"),
        "pending_changes": pending(instance),
        "not_normal": [f"{one['StatusType']}: {one['Status']}" for one in infos if not one.get("Normal", True)],
        "backup_retention_days": instance.get("BackupRetentionPeriod", 0),
        "latest_restorable_at": stamp_to_second(instance.get("LatestRestorableTime")),
        "allocated_gib": instance.get("AllocatedStorage"),
    }


def _summary(name: str, facts: dict[str, Any]) -> str:
    parts = [f"{name} is {facts['status']}", "Multi-AZ" if facts["multi_az"] else "in one zone only"]
    if facts["not_normal"]:
        parts.append(f"not normal: {', '.join(facts['not_normal'])}")
    if facts["pending_changes"]:
        parts.append(f"changes pending: {', '.join(facts['pending_changes'])}")
    if not facts["backup_retention_days"] and not facts["replica_of"]:
        parts.append("automated backups are off")
    return "; ".join(parts)
