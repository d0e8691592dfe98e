"""Database faults: connections exhausted, or the primary failed."""

from datetime import datetime, timedelta

from domain.config.environment import Database, Service
from sandbox.aws.rds_state import DatabaseState
from sandbox.aws.rollout import LOCK, moment
from sandbox.runtime.aws_world import FaultError, World
from sandbox.seed.databases import database_states
from sandbox.traffic import background, database_traffic, postgres_log, service_traffic

_SINCE = timedelta(minutes=8)
_UNREACHED_SINCE = timedelta(minutes=12)
_REFUSED = "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute"
_STATEMENT = "LOG:  duration: 6120.4{0} ms  execute <unnamed>: SELECT study_id FROM worklist WHERE assigned_to = $1"
_PANIC = 'PANIC:  could not write to file "pg_wal/xlogtemp.412": I/O error'
_TIMEOUT = "ERROR database error: PoolTimeout: no connection within 5 s (pool 'primary', 40 in use, 0 idle)"
_UNREACHED = (
    'ERROR database error: OperationalError: connection to server at "{address}", port 5432 failed: '
    "Connection timed out"
)


def pool_exhaustion(world: World) -> str:
    """Let the application hold every connection of a healthy primary; replacing its tasks releases them."""
    name, database, state = _primary(world)
    service = _service(world, name)
    with LOCK:
        now = moment()
        began = now - _SINCE
        state.exhausted_at, state.cpu = now, 12.0
        for number in range(160):
            at = began + number * (_SINCE / 160)
            postgres_log.write(state, database.log, at, _REFUSED, f"10.0.{number % 2 + 1}.{10 + number % 3}")
        for number in range(12):
            at = began + number * (_SINCE / 12)
            postgres_log.write(state, database.log, at, _STATEMENT.format(number), "10.0.1.12")
    background.raise_connections(world, now, _SINCE)
    database_traffic.write_minutes(world, [began + timedelta(minutes=number) for number in range(9)])
    _write_errors(world, service, _TIMEOUT, began, now)
    return (
        f"all {database.max_connections} connections of {database.identifier} are held by {service.service}; "
        "the database itself is healthy"
    )


def instance_down(world: World) -> str:
    """Fail the primary and its standby; the replica survives, a few seconds behind."""
    name, database, state = _primary(world)
    service = _service(world, name)
    with LOCK:
        now = moment()
        began = now - _SINCE
        state.settle()
        state.operation, state.failed_at = None, began
        state.instance.status = "failed"
        state.add_event(
            "The DB instance has failed due to an incompatible configuration or an underlying storage issue. "
            "Begin a point-in-time-restore for the DB instance.",
            "failure",
            at=began,
        )
        _rewrite_metrics(world, began, now)
        postgres_log.write(state, database.log, began, _PANIC, None)
    _write_errors(world, service, _UNREACHED.format(address=state.instance.address), began, now)
    return f"{database.identifier} has failed; {service.service} answers 503; a replica is a few seconds behind"


def primary_unreachable(world: World) -> str:
    """Let nobody reach a primary that RDS goes on showing as available; its standby, or a reader, is well."""
    name, database, state = _primary(world)
    service = _service(world, name)
    with LOCK:
        now = moment()
        began = now - _UNREACHED_SINCE
        state.settle()
        state.unreached_at, state.cpu = began, 3.0
        _rewrite_metrics(world, began, now)
    _write_errors(world, service, _UNREACHED.format(address=state.instance.address), began, now)
    return f"nobody reaches {database.identifier}, which RDS shows as available; {service.service} answers 503"


def _rewrite_metrics(world: World, began: datetime, now: datetime) -> None:
    """Replace CloudWatch's metrics of databases since then: a failed instance sends none, while its lag counts."""
    service_traffic.forget(world, began, "AWS/RDS")
    moments = [began + timedelta(minutes=number) for number in range(int((now - began).total_seconds() // 60) + 1)]
    background.write_connections(world, moments)
    database_traffic.write_minutes(world, moments)


def _primary(world: World) -> tuple[str, Database, DatabaseState]:
    """The database called `primary`, else the first that is not a replica."""
    databases = {name: one for name, one in world.environment.databases.items() if one.replica_of is None}
    if not databases:
        raise FaultError(f"environment {world.environment.name!r} names no database to fail")
    name = "primary" if "primary" in databases else next(iter(databases))
    return name, databases[name], database_states(world)[name]


def _service(world: World, database: str) -> Service:
    """The service that uses this database."""
    endpoint = world.environment.database_endpoints.get(database)
    if endpoint is None:
        raise FaultError(
            f"environment {world.environment.name!r} does not say in database_endpoints which service uses {database}"
        )
    return world.environment.services[endpoint.service]


def _write_errors(world: World, service: Service, text: str, began: datetime, until: datetime) -> None:
    step = (until - began) / 90
    background.write_log(world, service, [(began + number * step, text) for number in range(1, 91)])
