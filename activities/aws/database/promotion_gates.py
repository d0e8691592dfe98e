"""What must hold before a replica may be promoted, and what who approves must know: above all, what is lost."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from activities.action import Clients, RuleError
from activities.aws.database.database_state import Standing, remedy, serves, standing
from activities.aws.database.described_database import AVAILABLE, refuse_custom, refuse_member
from activities.aws.shared.cloudwatch_metrics import newest, of_instance, read
from activities.aws.shared.pages import Pages
from domain.model.calls import Scope
from domain.values.timestamps import short_time

_FULL_PERCENT = 90
_BEFORE = timedelta(hours=6)
"""How long before the declaration a primary may have failed."""
_FAR = timedelta(days=14)
LASTING = frozenset({Standing.STOPPED, Standing.REPAIR, Standing.LOST})
"""States that do not pass by themselves."""


class Pair(NamedTuple):
    """The instance that has failed and the one to take its place, as the environment names them and RDS shows them."""

    old_name: str
    new_name: str
    old: dict[str, Any]
    new: dict[str, Any]


def refuse(clients: Clients, scope: Scope, pair: Pair, group: str, lost: str | None) -> None:
    """Refuse unless the primary is lost, the replica can take its place, and closing `group` cuts off the one alone."""
    _refuse_living_primary(clients, scope, pair, lost)
    _refuse_unfit_replica(pair)
    _refuse_open_fence(pair, group)


def _refuse_living_primary(clients: Clients, scope: Scope, pair: Pair, lost: str | None) -> None:
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
    _, most = _newest(clients, scope, pair.old, "DatabaseConnections") or (None, 0)
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


def _refuse_unfit_replica(pair: Pair) -> None:
    """Refuse what is no replica of the primary, and what will not serve in its place."""
    refuse_member(pair.new, pair.new_name, "fail the cluster over instead")
    refuse_custom(pair.new, pair.new_name, "promote")
    source = pair.new.get("ReadReplicaSourceDBInstanceIdentifier")
    # by its ARN where it is in another region
    if source and source not in (pair.old["DBInstanceIdentifier"], pair.old["DBInstanceArn"]):
        raise RuleError(f"{pair.new_name} is a replica of {source}, not of {pair.old['DBInstanceIdentifier']}")
    refuse_lasting(pair.new)


def refuse_lasting(replica: dict[str, Any]) -> None:
    """Refuse a replica in a state that does not pass by itself."""
    status = replica["DBInstanceStatus"]
    if standing(status) in LASTING:
        name = replica["DBInstanceIdentifier"]
        instead = (
            "take another, or restore the primary to a point in time"
            if standing(status) is Standing.LOST
            else remedy(status)
        )
        raise RuleError(f"{name} is {status} and can take no primary's place: {instead}")


def busy(pair: Pair) -> bool:
    """Tell whether the replica is at something that RDS promotes none in (RDS API PromoteReadReplica)."""
    source, status = pair.new.get("ReadReplicaSourceDBInstanceIdentifier"), pair.new["DBInstanceStatus"]
    return bool(source) and status != AVAILABLE and standing(status) not in LASTING


def _refuse_open_fence(pair: Pair, group: str) -> None:
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


def describe_loss(clients: Clients, scope: Scope, pair: Pair, lost: str | None) -> str:
    """Say how much may be lost (`cloudwatch:GetMetricData`); raises `RuleError` when nobody knows, unless it is `lost`.

    What counts is how far the replica was behind in the last minute in which the primary reported anything. Once that
    is dead the figure counts the time itself, and says nothing of loss (RDS user guide, "Monitoring read replication":
    PostgreSQL's lag is the time since the last transaction that was replayed).
    """
    try:
        return _known(clients, scope, pair)
    except RuleError as nobody_knows:
        if not lost:
            raise
        return f"{nobody_knows}."


def describe_snapshot(rds: Any, pair: Pair) -> str:
    """Say which snapshot of the primary there is, and why none is taken now (`rds:DescribeDBSnapshots`)."""
    status = pair.old["DBInstanceStatus"]
    of = "said to be lost" if serves(status) else status
    why = f"No snapshot of {pair.old_name} is taken now, as it is {of}."
    identifier = pair.old["DBInstanceIdentifier"]
    found = Pages(rds.describe_db_snapshots, cursor="Marker", DBInstanceIdentifier=identifier).items("DBSnapshots")
    whole = [one for one in found if one.get("Status") == AVAILABLE and "SnapshotCreateTime" in one]
    dated = [(one["SnapshotCreateTime"], one["DBSnapshotIdentifier"]) for one in whole]
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
    """The newest maximum of a metric of an instance, and when it was; None for none in hours before the declaration."""
    queries = of_instance(instance["DBInstanceIdentifier"], {"newest": (metric, "Maximum")})
    return newest(clients.client("cloudwatch"), queries, scope.declared_at - _BEFORE).get("newest")


def _known(clients: Clients, scope: Scope, pair: Pair) -> str:
    since = scope.declared_at - _BEFORE
    queries = of_instance(pair.new["DBInstanceIdentifier"], {"lag": ("ReplicaLag", "Maximum")})
    points, complete = read(clients.client("cloudwatch"), queries, (since, since + _FAR), 60)
    lags = points["lag"] if complete else []
    heard = _newest(clients, scope, pair.old, "CPUUtilization")
    before = [point for point in lags if heard is not None and point[0] <= heard[0]]
    if not before:
        raise RuleError(
            f"CloudWatch does not know how far {pair.new_name} was behind when {pair.old_name} last reported anything: "
            "what would be lost is unknown"
        )
    (when, lag), (last, count) = before[-1], lags[-1]
    if lag < 0:
        raise RuleError(f"{pair.new_name} was not replicating at {short_time(when)}: what would be lost is unknown")
    since_then = f" Since then the figure counts the time ({count:g} s at {short_time(last)}), not what is lost."
    return (
        f"{pair.new_name} was {lag:g} s behind at {short_time(when)}, when {pair.old_name} last reported anything: "
        f"what it committed in that time before it failed is lost.{since_then if last > when else ''} (An idle primary "
        "lets the figure climb to five minutes.)"
    )


def _groups(instance: dict[str, Any]) -> set[str]:
    return {one["VpcSecurityGroupId"] for one in instance.get("VpcSecurityGroups", [])}
