"""What must hold before a replica may be promoted, and what the people who approve must know."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from activities.action import Clients, RuleError
from activities.aws.database.rds_status import FAILED, SERVING
from activities.aws.shared.cloudwatch_metrics import newest, of_instance
from activities.aws.shared.pages import Pages
from domain.model.activity_io import Scope
from domain.values.timestamps import short_time

_BEFORE = timedelta(hours=1)
_FULL_PERCENT = 90


class Pair(NamedTuple):
    """The instance that has failed and the one to take its place, as the environment names them and RDS shows them."""

    old_name: str
    new_name: str
    old: dict[str, Any]
    new: dict[str, Any]


def refuse_living_primary(clients: Clients, scope: Scope, pair: Pair) -> None:
    """Refuse unless the primary has truly failed; a full pool, above all, is no failure of it."""
    status = pair.old["DBInstanceStatus"]
    if status in FAILED:
        return
    if status not in SERVING and status != "modifying":
        raise RuleError(
            f"{pair.old_name} is {status}, from which it comes back: wait for it, or start it again if it was stopped"
        )
    database = scope.environment.databases[pair.old_name]
    _, most = _newest(clients, scope, pair.old, "DatabaseConnections") or (None, 0)
    if 100 * most >= _FULL_PERCENT * database.max_connections:
        raise RuleError(
            f"{pair.old_name} is {status} and its connections are used up ({most:g} of {database.max_connections}): "
            "a promoted replica has the same limit and the same clients, and loses what it has not replicated. "
            "Restart the application instead"
        )
    way = "fail over to its standby" if pair.old.get("MultiAZ") else "mend or reboot it"
    raise RuleError(f"{pair.old_name} is {status}: two primaries would take writes; {way} instead")


def refuse_unfit_replica(pair: Pair) -> None:
    """Refuse what RDS would not promote, and what would be fenced together with the primary."""
    if str(pair.new.get("Engine", "")).startswith("aurora"):
        raise RuleError(f"{pair.new_name} is of Aurora: fail over its cluster instead")
    source = pair.new.get("ReadReplicaSourceDBInstanceIdentifier")
    if source and source.rsplit(":", 1)[-1] != pair.old["DBInstanceIdentifier"]:
        raise RuleError(f"{pair.new_name} is a replica of {source}, not of {pair.old['DBInstanceIdentifier']}")
    status = pair.new["DBInstanceStatus"]
    if source and status != "available":
        raise RuleError(f"{pair.new_name} is {status}: RDS promotes only an available replica, so wait for it")


def refuse_open_fence(pair: Pair, group: str) -> None:
    """Refuse when closing the security group would leave the primary open, or close the replica too."""
    old, new = _groups(pair.old), _groups(pair.new)
    if group in new:
        raise RuleError(
            f"{pair.new_name} shares security group {group} with {pair.old_name}: fencing the one would cut off the "
            "other; give the replica a group of its own first"
        )
    if others := sorted(old - {group}):
        raise RuleError(
            f"{pair.old_name} is also reached through {', '.join(others)}: fencing {group} alone would not keep "
            "writers away"
        )
    if group not in old:
        raise RuleError(f"{pair.old_name} is not behind security group {group}: look at the environment's file")


def describe_lag(clients: Clients, scope: Scope, pair: Pair) -> str:
    """Say how much may be lost; raises `RuleError` when nobody knows (`cloudwatch:GetMetricData`)."""
    found = _newest(clients, scope, pair.new, "ReplicaLag")
    if found is None:
        raise RuleError(
            f"CloudWatch does not know how far {pair.new_name} is behind {pair.old_name}: what would be lost is unknown"
        )
    when, lag = found
    if lag < 0:
        raise RuleError(f"{pair.new_name} was not replicating at {short_time(when)}: what would be lost is unknown")
    return (
        f"{pair.new_name} was {lag:g} s behind at {short_time(when)}: what {pair.old_name} committed in that time "
        "before it failed is lost. (An idle primary lets the figure climb to five minutes.)"
    )


def describe_snapshot(rds: Any, pair: Pair) -> str:
    """Say which snapshot of the primary there is, and why none is taken now (`rds:DescribeDBSnapshots`)."""
    status = pair.old["DBInstanceStatus"]
    why = f"No snapshot of {pair.old_name} is taken now: RDS takes none of an instance that is {status}."
    identifier = pair.old["DBInstanceIdentifier"]
    found = Pages(rds.describe_db_snapshots, cursor="Marker", DBInstanceIdentifier=identifier).items("DBSnapshots")
    dated = [(one["SnapshotCreateTime"], one["DBSnapshotIdentifier"]) for one in found if "SnapshotCreateTime" in one]
    if not dated:
        return f"{why} There is no earlier one; automated backups may reach further."
    when, name = max(dated)
    return f"{why} The last one is {name}, {short_time(when)}."


def describe_rebuild(pair: Pair, retention_days: int) -> str:
    """Say what is missing afterwards."""
    others = [
        one
        for one in pair.old.get("ReadReplicaDBInstanceIdentifiers", [])
        if one.rsplit(":", 1)[-1] != pair.new["DBInstanceIdentifier"]
    ]
    follow = f" {', '.join(others)} keep following {pair.old_name} and are to be made anew." if others else ""
    zones = "" if pair.new.get("MultiAZ") else " It has no standby until Multi-AZ is turned on."
    return (
        f"To be rebuilt afterwards: {pair.new_name} is without a replica of its own.{zones}{follow} "
        f"It keeps backups for {retention_days} days. {pair.old_name} stays fenced; it can never be a replica of "
        f"{pair.new_name}, which is why this cannot be undone."
    )


def _newest(clients: Clients, scope: Scope, instance: dict[str, Any], metric: str) -> tuple[datetime, float] | None:
    """The newest maximum of a metric since an hour before the incident was declared, and when it was."""
    queries = of_instance(instance["DBInstanceIdentifier"], {"newest": (metric, "Maximum")})
    return newest(clients.client("cloudwatch"), queries, scope.declared_at - _BEFORE).get("newest")


def _groups(instance: dict[str, Any]) -> set[str]:
    return {one["VpcSecurityGroupId"] for one in instance.get("VpcSecurityGroups", [])}
