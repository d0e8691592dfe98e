"""The faults, by name. Each leaves the account as the real failure would, and returns a line on what it did."""

from collections.abc import Callable
from datetime import datetime, timedelta

from domain.config.environment import Service
from sandbox.aws.rollout import IN_PROGRESS, LOCK, moment, set_defect
from sandbox.faults import breach, database, performance, recovery, security, upkeep
from sandbox.runtime.aws_world import FaultError, World
from sandbox.seed.services import register
from sandbox.traffic import background, service_traffic

_DEPLOYED_AGO = timedelta(minutes=14)
_TOOK = timedelta(minutes=2)
_MINUTE = timedelta(minutes=1)
_ERROR_LINES = 120


def _outage_bad_deploy(world: World, *, watched: bool = False) -> str:
    """Deploy a revision that started and then broke; the revision registered before it was never deployed."""
    service = _main_service(world)
    number = len(world.ecs.task_definitions[service.family]) + 1
    never_ran = register(world, service, f"1.{number}.0")  # what a rollback to "the revision before" would pick
    broken = register(world, service, f"1.{number + 1}.0")
    with LOCK:
        record = world.rollouts(service)
        now = moment()
        # if the fault is repeated, its deployment must be newer than the one before
        began = max(now - _DEPLOYED_AGO, record.newest.began_at + timedelta(seconds=1))
        came_up = min(began + _TOOK, now)
        set_defect(world.ecs.describe_task_definition(broken), "after-start")
        if watched:
            record.begin(broken, began).serving = True
        else:
            record.deployed(broken, began, came_up)
    _rewrite_metrics(world, came_up, now)
    background.write_errors(world, service, now, now - came_up, _ERROR_LINES)
    background.raise_connections(world, now, now - came_up)
    names = [arn.split("/")[-1] for arn in (broken, never_ran)]
    return f"{service.service} runs {names[0]}, which answers 503; {names[1]} is registered and was never deployed"


def _outage_watched_deploy(world: World) -> str:
    """The same, while ECS still watches the deployment: until it trips, or somebody stops it."""
    return f"{_outage_bad_deploy(world, watched=True)}; ECS still watches that deployment"


def _deployment_rolled_back(world: World) -> str:
    """Let ECS take back the watched deployment by itself, as a circuit breaker or an alarm makes it."""
    service = _main_service(world)
    with LOCK:
        record = world.rollouts(service)
        if not record.newest.serving or record.newest.status != IN_PROGRESS:
            raise FaultError(f"no deployment of {service.service} is watched: break outage-watched-deploy first")
        record.trip(moment())
    return f"ECS rolls {service.service} back by itself to {record.newest.aims_at.task_definition.split('/')[-1]}"


def _rewrite_metrics(world: World, since: datetime, until: datetime) -> None:
    """Replace CloudWatch's metrics since the break by ones that show failing requests."""
    service_traffic.forget(world, since, "AWS/ECS", "AWS/ApplicationELB", "AWS/Cognito")
    minutes = int((until - since) / _MINUTE)
    service_traffic.write_minutes(world, [until - number * _MINUTE for number in range(minutes, -1, -1)])


FAULTS: dict[str, Callable[[World], str]] = {
    "outage-bad-deploy": _outage_bad_deploy,
    "outage-watched-deploy": _outage_watched_deploy,
    "deployment-rolled-back": _deployment_rolled_back,
    "breach-exfiltration": breach.exfiltrate,
    "security-credential-stuffing": security.stuff_credentials,
    "database-pool-exhaustion": database.pool_exhaustion,
    "database-instance-down": database.instance_down,
    "database-primary-unreachable": database.primary_unreachable,
    "performance-cpu": performance.starve,
    "audit-logging-stopped": upkeep.audit_logging_stopped,
    "authentication-down": upkeep.authentication_down,
    "authentication-restored": recovery.authentication_restored,
    "backup-stale": upkeep.backup_stale,
    "backup-resumed": recovery.backup_resumed,
    "snapshot-unusable": upkeep.snapshot_unusable,
    "snapshot-usable": recovery.snapshot_usable,
    "certificate-expiring": upkeep.certificate_expiring,
    "certificate-renewed": recovery.certificate_renewed,
    "alert-storm": upkeep.alert_storm,
    "alert-storm-over": recovery.alert_storm_over,
    "feature-failing": upkeep.feature_failing,
}
"""What injects each fault; `sandbox.faults.names` describes the symptoms."""


def _main_service(world: World) -> Service:
    """The service called `backend`, else the first one that the environment names."""
    services = world.environment.services
    if not services:
        raise FaultError(f"environment {world.environment.name!r} names no service that could break")
    return services.get("backend", next(iter(services.values())))
