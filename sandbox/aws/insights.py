"""Amazon RDS Performance Insights, which moto lacks: enabled with `ModifyDBInstance`, served at its own endpoint.

The protocol is JSON 1.1: the header `X-Amz-Target` names the operation, times are seconds since the epoch.
"""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, request
from moto.rds.models import DBInstance, rds_backends

from sandbox.aws.moto_patch import patch
from sandbox.aws.rds_state import state_of
from sandbox.runtime.aws_world import World

PATH = "/pi"
_OPERATION = "PerformanceInsightsv20180227.GetResourceMetrics"
_ON = "enable_performance_insights"
_CPU_PER_SESSION = 12.5


def install() -> None:
    """Patch moto with the flag that says whether it is enabled."""
    on = property(lambda instance: bool(vars(instance).get(_ON)))
    patch(DBInstance, performance_insights_enabled=on)


def add_insights(app: Flask, world: World) -> None:
    """Answer `GetResourceMetrics` for `db.load.avg` under `/pi`; refused while Performance Insights is off."""

    @app.post(PATH)
    def insights() -> Response:
        operation = request.headers.get("X-Amz-Target", "")
        if operation != _OPERATION:
            return _answer({"__type": "UnknownOperationException", "message": f"{operation!r} is not known here."}, 400)
        asked = json.loads(request.get_data())
        environment = world.environment
        instances = rds_backends[environment.account][environment.region].databases.values()
        known = [one for one in instances if one.dbi_resource_id == asked["Identifier"]]
        on = [one for one in known if vars(one).get(_ON)]
        if not on or [one["Metric"] for one in asked["MetricQueries"]] != ["db.load.avg"]:
            return _answer({"__type": "InvalidArgumentException", "message": "Performance Insights is off."}, 400)
        period = timedelta(seconds=int(asked.get("PeriodInSeconds", 60)))
        start, end = (datetime.fromtimestamp(float(asked[name]), UTC) for name in ("StartTime", "EndTime"))
        points = [{"Timestamp": at.timestamp(), "Value": _load(on[0], at)} for at in _moments(start, end, period)]
        metric = {"Key": {"Metric": "db.load.avg"}, "DataPoints": points}
        answer = {
            "AlignedStartTime": start.timestamp(),
            "AlignedEndTime": end.timestamp(),
            "Identifier": asked["Identifier"],
            "MetricList": [metric],
        }
        return _answer(answer, 200)


def _load(instance: DBInstance, at: datetime) -> float:
    """How many sessions were active: in proportion to the CPU load, in waves."""
    return round(state_of(instance).cpu / _CPU_PER_SESSION * (1 + 0.1 * math.sin(at.timestamp() / 300)), 2)


def _moments(start: datetime, end: datetime, period: timedelta) -> Iterator[datetime]:
    while start < end:
        yield start
        start += period


def _answer(content: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(content), status, content_type="application/x-amz-json-1.1")
