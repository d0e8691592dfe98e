"""Tell whether a database is available."""

from datetime import datetime
from typing import Any

from activities.action import DatabaseParams, ProbeAction, iam
from activities.aws.database.database_state import remedy, serves
from activities.aws.database.described_database import Described, found, parameters, pending
from activities.aws.shared.findings import suspect_if
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.timestamps import stamp_to_second

_BROKEN = "failed-to-apply"


class DatabaseStatus(ProbeAction[DatabaseParams]):
    """Reads an instance's status, pending changes and backups; of a cluster its own and its writer's.

    Suspect when it does not serve, its replication is not normal, or its parameters cannot be applied. The endpoint and
    the values of pending changes are left out: `address_by` is the command by which a responder looks it up, with
    rights of their own.
    """

    name = "rds.status"
    permissions = iam("rds:DescribeDBClusters DescribeDBInstances")

    def observe(self, scope: Scope, params: DatabaseParams, at: datetime) -> Finding:
        place = found(self.clients, scope.environment.databases[params.database])
        infos = place.instance.get("StatusInfos", [])
        facts = {"database": params.database} | _facts(place, [one for one in infos if "Normal" in one])
        facts["unread"] = unread = sum("Normal" not in one for one in infos)
        facts["address_by"] = _lookup(place, scope.environment.region)
        evidence = place.instance.get("DBInstanceArn", facts["identifier"])
        summary = _summary(params.database, facts, place)
        summary += f"; {unread} parts of its status could not be read" if unread else ""
        broken = [one for one in facts["parameters"] if one.endswith(_BROKEN)]
        troubled = not all(map(serves, place.statuses)) or facts["not_normal"] or broken
        return suspect_if(troubled, summary, facts, evidence, unsure=unread)


def _lookup(place: Described, region: str) -> str:
    if place.cluster:
        what, query = (
            f"clusters --db-cluster-identifier {place.cluster['DBClusterIdentifier']}",
            "DBClusters[0].Endpoint",
        )
    else:
        identifier = place.instance["DBInstanceIdentifier"]
        what, query = f"instances --db-instance-identifier {identifier}", "DBInstances[0].Endpoint.Address"
    return f"aws rds describe-db-{what} --region {region} --query '{query}' --output text"


def _facts(place: Described, infos: list[dict[str, Any]]) -> dict[str, Any]:
    instance, cluster = place
    kept = cluster or instance  # a cluster is backed up as one
    return {
        "identifier": instance["DBInstanceIdentifier"],
        "status": place.worst_status,
        "cluster": cluster and cluster["DBClusterIdentifier"],
        "engine": f"{instance.get('Engine', '')} {instance.get('EngineVersion', '')}".strip(),
        "class": instance.get("DBInstanceClass"),
        "multi_az": place.has_standby,
        "replica_of": instance.get("ReadReplicaSourceDBInstanceIdentifier"),
        "pending_changes": pending(instance),
        "parameters": parameters(instance),
        "not_normal": [f"{one.get('StatusType')}: {one.get('Status')}" for one in infos if not one["Normal"]],
        "backup_retention_days": kept.get("BackupRetentionPeriod", 0),
        "latest_restorable_at": stamp_to_second(kept.get("LatestRestorableTime")),
        "allocated_gib": instance.get("AllocatedStorage"),
    }


def _summary(name: str, facts: dict[str, Any], place: Described) -> str:
    parts = [f"{name} is {facts['status']}"]
    if place.cluster:
        readers = len(place.cluster.get("DBClusterMembers", [])) - 1
        parts.append(f"{facts['identifier']} is the writer of cluster {facts['cluster']}, {readers} readers")
    else:
        parts.append("Multi-AZ" if facts["multi_az"] else "in one zone only")
    if not serves(facts["status"]) and (help_by := remedy(facts["status"])):
        parts.append(f"what helps: {help_by}")
    if facts["not_normal"]:
        parts.append(f"not normal: {', '.join(facts['not_normal'])}")
    if facts["pending_changes"]:
        parts.append(f"changes pending: {', '.join(facts['pending_changes'])}")
    if facts["parameters"]:
        parts.append(f"parameters not in force: {', '.join(facts['parameters'])}")
    if not facts["backup_retention_days"] and not facts["replica_of"]:
        parts.append("automated backups are off")
    return "; ".join(parts)
