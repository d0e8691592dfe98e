"""The account's normal traffic, minute by minute: metrics, log lines, traces and sign-ins."""

import math
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from domain.config.environment import Service
from sandbox.runtime.aws_world import World
from sandbox.seed.databases import database_states
from sandbox.traffic import database_traffic, flow_log, service_traffic, sign_in_log, waf_log

_MINUTE = timedelta(minutes=1)
_BACKFILL = timedelta(minutes=75)
_SPARSE = 3
_USUAL_SHARE, _RAISED_SHARE = 0.2, 0.34
_STREAM = "app/app/0a1b2c3d4e5f"
_ERRORS_PER_MINUTE = 10
_log = structlog.get_logger(__name__)

_TRACE = """ERROR unhandled exception
Traceback (most recent call last):
  File "/app/portal/studies.py", line 88, in listing
    return pool.acquire(timeout=5)
portal.errors.PoolTimeout: no connection within 5 s"""
FAILURES = (
    "ERROR request failed: HTTP 503 on GET /api/studies",
    _TRACE,
    "ERROR health check failed: dependency 'session-store' not configured",
    "ERROR request failed: HTTP 503 on POST /api/sessions",
)
"""Log lines of a broken release; invented, and about nobody."""


def backfill(world: World, until: datetime) -> None:
    """Write the last 75 minutes, when everything was healthy."""
    past = _minutes(until, _BACKFILL)
    _connections(world, past, _USUAL_SHARE)
    database_traffic.write_minutes(world, past)
    # every third minute, including the last: writing all of them takes long
    service_traffic.write_minutes(world, past[::-1][::_SPARSE][::-1])
    for service in world.environment.services.values():
        write_log(world, service, [(at, _usual(at)) for at in past])
    waf_log.usual(world, past)
    flow_log.usual(world, past)
    _sign_ins(world, past)


def write_minute(world: World, at: datetime) -> None:
    """Write one minute of traffic for the services as they are now, with errors for unhealthy ones."""
    unhealthy = world.unhealthy()
    _connections(world, [at], _RAISED_SHARE if unhealthy else _USUAL_SHARE)
    database_traffic.write_minutes(world, [at])
    service_traffic.write_minutes(world, [at])
    waf_log.usual(world, [at])
    flow_log.usual(world, [at])
    _sign_ins(world, [at])
    for service in world.environment.services.values():
        write_errors(world, service, at, _MINUTE) if service in unhealthy else write_log(
            world, service, [(at, _usual(at))]
        )


def write_errors(
    world: World, service: Service, until: datetime, span: timedelta, lines: int = _ERRORS_PER_MINUTE
) -> None:
    """Write the error lines for a span that ends at `until`."""
    step = span / lines
    write_log(
        world,
        service,
        [(until - number * step, FAILURES[number % len(FAILURES)]) for number in range(lines - 1, -1, -1)],
    )


def raise_connections(world: World, until: datetime, span: timedelta) -> None:
    """Write raised connection counts, one a minute, for a span that ends at `until`."""
    _connections(world, _minutes(until, span), _RAISED_SHARE)


def write_connections(world: World, moments: list[datetime]) -> None:
    """Write the usual connection counts of these minutes, for databases as they are now."""
    _connections(world, moments, _USUAL_SHARE)


def write_log(world: World, service: Service, lines: list[tuple[datetime, str]]) -> None:
    """Write lines, oldest first, to a service's log group (CloudWatch Logs `PutLogEvents`)."""
    logs = world.client("logs")
    group: dict[str, Any] = {"logGroupName": service.log_group}
    if not logs.describe_log_streams(**group, logStreamNamePrefix=_STREAM)["logStreams"]:
        logs.create_log_stream(**group, logStreamName=_STREAM)
    events = [{"timestamp": int(at.timestamp() * 1000), "message": message} for at, message in lines]
    logs.put_log_events(**group, logStreamName=_STREAM, logEvents=events)


def run_every_minute(world: World, stop: Event) -> Thread:
    """Write each minute's traffic in a thread until `stop`; a failure is logged, and the next minute is written."""

    def run() -> None:
        while not stop.wait(_MINUTE.total_seconds()):
            try:
                write_minute(world, datetime.now(UTC))
            except (BotoCoreError, ClientError):
                _log.exception("traffic not written")

    thread = Thread(target=run, name="traffic", daemon=True)
    thread.start()
    return thread


def _sign_ins(world: World, moments: list[datetime]) -> None:
    """Write sign-ins to the log of the service called `backend`, else of the first one."""
    services = world.environment.services
    if service := services.get("backend", next(iter(services.values()), None)):
        write_log(world, service, [line for at in moments for line in sign_in_log.usual(at)])


def _minutes(until: datetime, span: timedelta) -> list[datetime]:
    return [until - number * _MINUTE for number in range(int(span / _MINUTE), -1, -1)]


def _usual(at: datetime) -> str:
    return f"INFO request done: HTTP 200 on GET /api/studies in {40 + at.minute % 17} ms"


def _connections(world: World, moments: list[datetime], usual: float) -> None:
    """Write each database's connection count (CloudWatch `PutMetricData`), varying in waves."""
    states = database_states(world)
    shares = {name: database_traffic.share(world, name, usual) for name in world.environment.databases}
    data = [
        {
            "MetricName": "DatabaseConnections",
            "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": states[name].instance.db_instance_identifier}],
            "Timestamp": at,
            "Value": float(round(database.max_connections * _wave(share, at))),
            "Unit": "Count",
        }
        for name, database in world.environment.databases.items()
        for at in moments
        if (share := shares[name]) is not None
    ]
    if data:
        world.client("cloudwatch").put_metric_data(Namespace="AWS/RDS", MetricData=data)


def _wave(share: float, at: datetime) -> float:
    """A share that varies by a tenth of itself, unless it is at the limit."""
    return share if share >= 1 else share * (1 + 0.1 * math.sin(at.timestamp() / 300))
