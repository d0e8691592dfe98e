"""The databases' normal traffic: their metrics each minute, and PostgreSQL's log."""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sandbox.aws.rds_state import SERVING, DatabaseState
from sandbox.aws.rollout import LOCK
from sandbox.runtime.aws_world import World
from sandbox.seed.databases import database_states
from sandbox.traffic import postgres_log

_FREE_BYTES = 340 * 1024**3
_LAG_SECONDS = 2.0
_CHECKPOINT_MINUTES = 5
_PER_CALL = 500


def write_minutes(world: World, moments: Iterable[datetime]) -> None:
    """Write these minutes for the databases as they are now."""
    data: list[dict[str, Any]] = []
    with LOCK:
        states = database_states(world)
        for at in moments:
            for name, one in states.items():
                database = world.environment.databases[name]
                data += _metrics(one, states.get(database.replica_of or ""), at)
                if one.instance.status in SERVING and at.minute % _CHECKPOINT_MINUTES == 0:
                    postgres_log.write(one, database.log, at, "LOG:  checkpoint starting: time", None)
    cloudwatch = world.client("cloudwatch")
    for start in range(0, len(data), _PER_CALL):
        cloudwatch.put_metric_data(Namespace="AWS/RDS", MetricData=data[start : start + _PER_CALL])


def share(world: World, name: str, usual: float) -> float | None:
    """The share of its connection limit that a database uses; None if it sends no metrics."""
    with LOCK:
        state = database_states(world).get(name)
        if state is None or state.instance.status not in SERVING:
            return None
        if state.unreached_at is not None:
            return 0.0
        return 1.0 if state.exhausted_at is not None and not world.healthy() else usual


def _metrics(state: DatabaseState, source: DatabaseState | None, at: datetime) -> list[dict[str, Any]]:
    """The minute's data points; a failed instance sends none."""
    if state.instance.status not in SERVING:
        return []
    values = {
        "CPUUtilization": (round(state.cpu * (1 + 0.1 * math.sin(at.timestamp() / 240)), 1), "Percent"),
        "FreeStorageSpace": (float(_FREE_BYTES), "Bytes"),
        "DiskQueueDepth": (0.4, "Count"),
    }
    if state.instance.is_replica:
        values["ReplicaLag"] = (_lag(source, at), "Seconds")
    return [
        {
            "MetricName": name,
            "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": state.instance.db_instance_identifier}],
            "Timestamp": at,
            "Value": value,
            "Unit": unit,
        }
        for name, (value, unit) in values.items()
    ]


def _lag(source: DatabaseState | None, at: datetime) -> float:
    """A replica is a little behind; once its source has failed, the lag grows with time."""
    if source is None or source.failed_at is None or at <= source.failed_at:
        return _LAG_SECONDS
    return round(_LAG_SECONDS + (at - source.failed_at).total_seconds())
