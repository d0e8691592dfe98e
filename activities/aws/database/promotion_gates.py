"""What must hold before a replica may be promoted, and what the people who approve must know."""

from typing import Any

from activities.action import Clients, RuleError
from activities.aws.database.database_state import Standing, remedy, serves, standing
from activities.aws.database.described_database import refuse_member
from activities.aws.database.promotion_loss import Pair, newest_of
from activities.aws.shared.pages import Pages
from domain.model.activity_io import Scope
from domain.values.timestamps import short_time

_FULL_PERCENT = 90


def refuse_living_primary(clients: Clients, scope: Scope, pair: Pair, lost: str | None) -> None:
    """Refuse unless the primary is lost: by its status, or by what whoever asked says in `lost`.

    When a zone is out, RDS may go on saying that it is available. A full pool, above all, is no failure of it.
    """
    status = pair.old["DBInstanceStatus"]
    stands = standing(status)
    if stands is Standing.LOST or lost:
        return
    if stands not in (Standing.SERVES, Standing.CHANGING):
        raise RuleError(f"{pair.old_name} is {status}, which promoting does not help: {remedy(status)}")
    database = scope.environment.databases[pair.old_name]
    _, most = newest_of(clients, scope, pair.old, "DatabaseConnections") or (None, 0)
    if 100 * most >= _FULL_PERCENT * database.max_connections:
        raise RuleError(
            f"{pair.old_name} is {status} and its connections are used up ({most:g} of {database.max_connections}): "
            "a promoted replica has the same limit and the same clients, and loses what it has not replicated. "
            "Restart the application instead"
        )
    way = "fail over to its standby" if pair.old.get("MultiAZ") else "mend or reboot it"
    raise RuleError(
        f"{pair.old_name} is {status}: two primaries would take writes; {way} instead. If it is lost all the same, as "
        "when its zone is out, ask with primary_is_lost and say how that is known"
    )


def refuse_unfit_replica(pair: Pair) -> None:
    """Refuse what RDS would not promote, and what would be fenced together with the primary."""
    refuse_member(pair.new, pair.new_name, "fail the cluster over instead")
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


def describe_snapshot(rds: Any, pair: Pair) -> str:
    """Say which snapshot of the primary there is, and why none is taken now (`rds:DescribeDBSnapshots`)."""
    status = pair.old["DBInstanceStatus"]
    of = "said to be lost" if serves(status) else status
    why = f"No snapshot of {pair.old_name} is taken now, as it is {of}."
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


def _groups(instance: dict[str, Any]) -> set[str]:
    return {one["VpcSecurityGroupId"] for one in instance.get("VpcSecurityGroups", [])}
