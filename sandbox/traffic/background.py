"""What goes on in the account all the time: connections to the databases, and lines in the logs."""

import math
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from domain.config.environment import Service
from sandbox.runtime.aws_world import World
from sandbox.traffic import database_traffic, flow_log, service_traffic, sign_in_log, waf_log

_BEAT = timedelta(minutes=1)
_BACKFILL = timedelta(minutes=75)
_SPARSE = 3
_USUAL_SHARE, _RAISED_SHARE = 0.2, 0.34
_STREAM = "app/app/0a1b2c3d4e5f"
_ERRORS_A_BEAT = 10
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
"""Lines of a release that breaks; invented, and about nobody."""


def backfill(world: World, until: datetime) -> None:
    """Put in the last hour and a quarter, when all was well."""
    past = _minutes(until, _BACKFILL)
    _connections(world, past, _USUAL_SHARE)
    database_traffic.beat(world, past)
    service_traffic.beat(world, past[::-1][::_SPARSE][::-1])
    for service in world.environment.services.values():
        write_log(world, service, [(at, _usual(at)) for at in past])
    waf_log.usual(world, past)
    flow_log.usual(world, past)
    _sign_ins(world, past)


def beat(world: World, at: datetime) -> None:
    """Put in one minute, as the services are by then: connections, lines, and errors where one ails."""
    ailing = world.ailing()
    _connections(world, [at], _RAISED_SHARE if ailing else _USUAL_SHARE)
    database_traffic.beat(world, [at])
    service_traffic.beat(world, [at])
    waf_log.usual(world, [at])
    flow_log.usual(world, [at])
    _sign_ins(world, [at])
    for service in world.environment.services.values():
        fail(world, service, at, _BEAT) if service in ailing else write_log(world, service, [(at, _usual(at))])


def fail(world: World, service: Service, until: datetime, span: timedelta, lines: int = _ERRORS_A_BEAT) -> None:
    """Write the error lines of a span that ends at `until`."""
    step = span / lines
    write_log(
        world,
        service,
        [(until - number * step, FAILURES[number % len(FAILURES)]) for number in range(lines - 1, -1, -1)],
    )


def raise_connections(world: World, until: datetime, span: timedelta) -> None:
    """Let connections stand somewhat higher over a span that ends at `until`, once a minute."""
    _connections(world, _minutes(until, span), _RAISED_SHARE)


def write_log(world: World, service: Service, lines: list[tuple[datetime, str]]) -> None:
    """Write lines, oldest first, to a service's log group (CloudWatch Logs `PutLogEvents`)."""
    logs = world.client("logs")
    group: dict[str, Any] = {"logGroupName": service.log_group}
    if not logs.describe_log_streams(**group, logStreamNamePrefix=_STREAM)["logStreams"]:
        logs.create_log_stream(**group, logStreamName=_STREAM)
    events = [{"timestamp": int(at.timestamp() * 1000), "message": message} for at, message in lines]
    logs.put_log_events(**group, logStreamName=_STREAM, logEvents=events)


def keep_beating(world: World, stop: Event) -> Thread:
    """Beat once a minute in a thread of its own, until `stop`; a beat that fails is logged, the next one comes."""

    def run() -> None:
        while not stop.wait(_BEAT.total_seconds()):
            try:
                beat(world, datetime.now(UTC))
            except (BotoCoreError, ClientError):
                _log.exception("beat failed")

    thread = Thread(target=run, name="pulse", daemon=True)
    thread.start()
    return thread


def _sign_ins(world: World, moments: list[datetime]) -> None:
    """Let people sign in at the service called `backend`, else at the first one."""
    services = world.environment.services
    if service := services.get("backend", next(iter(services.values()), None)):
        write_log(world, service, [line for at in moments for line in sign_in_log.usual(at)])


def _minutes(until: datetime, span: timedelta) -> list[datetime]:
    return [until - number * _BEAT for number in range(int(span / _BEAT), -1, -1)]


def _usual(at: datetime) -> str:
    return f"INFO request done: HTTP 200 on GET /api/studies in {40 + at.minute % 17} ms"


def _connections(world: World, moments: list[datetime], usual: float) -> None:
    """Record how many connections each database had (CloudWatch `PutMetricData`); they come and go in waves."""
    shares = {name: database_traffic.share(world, name, usual) for name in world.environment.databases}
    data = [
        {
            "MetricName": "DatabaseConnections",
            "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": database.identifier}],
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
    """A share that comes and goes by a tenth of itself, unless it is all there is."""
    return share if share >= 1 else share * (1 + 0.1 * math.sin(at.timestamp() / 300))
