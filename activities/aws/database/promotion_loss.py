"""What is lost when a replica takes the place of its primary: what that had committed and not yet replicated."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from activities.action import Clients, RuleError
from activities.aws.shared.cloudwatch_metrics import newest, of_instance, read
from domain.model.activity_io import Scope
from domain.values.timestamps import short_time

_BEFORE = timedelta(hours=6)
"""How long before the declaration a primary may have failed."""
_FAR = timedelta(days=14)


class Pair(NamedTuple):
    """The instance that has failed and the one to take its place, as the environment names them and RDS shows them."""

    old_name: str
    new_name: str
    old: dict[str, Any]
    new: dict[str, Any]


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


def newest_of(clients: Clients, scope: Scope, instance: dict[str, Any], metric: str) -> tuple[datetime, float] | None:
    """The newest maximum of a metric of an instance, and when it was; None for none in hours before the declaration."""
    queries = of_instance(instance["DBInstanceIdentifier"], {"newest": (metric, "Maximum")})
    return newest(clients.client("cloudwatch"), queries, scope.declared_at - _BEFORE).get("newest")


def _known(clients: Clients, scope: Scope, pair: Pair) -> str:
    since = scope.declared_at - _BEFORE
    queries = of_instance(pair.new["DBInstanceIdentifier"], {"lag": ("ReplicaLag", "Maximum")})
    lags = read(clients.client("cloudwatch"), queries, (since, since + _FAR), 60)[0]["lag"]
    heard = newest_of(clients, scope, pair.old, "CPUUtilization")
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
