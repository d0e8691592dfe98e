"""Faults to inject, by name. Each leaves the account as the real thing would, and says in a line what it did."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.environment import Service
from sandbox import (
    faults_breach,
    faults_database,
    faults_performance,
    faults_security,
    faults_upkeep,
    pulse,
    pulse_services,
)
from sandbox.aws.rollout import LOCK, ail, moment
from sandbox.seed_services import register
from sandbox.world import FaultError, World

_DEPLOYED_AGO = timedelta(minutes=14)
_TOOK = timedelta(minutes=2)
_MINUTE = timedelta(minutes=1)
_ERROR_LINES = 120


@dataclass(frozen=True)
class Fault:
    """A fault: what it looks like to those who are paged, and how it comes about."""

    summary: str
    inject: Callable[[World], str]


def _outage_bad_deploy(world: World) -> str:
    """Deploy a revision that came up and then broke; a later one than it was registered before and never ran."""
    service = _main_service(world)
    number = len(world.ecs.task_definitions[service.family]) + 1
    never_ran = register(world, service, f"1.{number}.0")
    broken = register(world, service, f"1.{number + 1}.0")
    with LOCK:
        record = world.rollouts(service)
        now = moment()
        began = max(now - _DEPLOYED_AGO, record.newest.began_at + timedelta(seconds=1))
        came_up = min(began + _TOOK, now)
        ail(world.ecs.describe_task_definition(broken), "after-start")
        record.deployed(broken, began, came_up)
    _answered(world, came_up, now)
    pulse.fail(world, service, now, now - came_up, _ERROR_LINES)
    pulse.raise_connections(world, now, now - came_up)
    names = [arn.split("/")[-1] for arn in (broken, never_ran)]
    return f"{service.service} runs {names[0]}, which answers 503; {names[1]} is registered and was never deployed"


def _answered(world: World, since: datetime, until: datetime) -> None:
    """Let CloudWatch tell the minutes since it broke as they were: requests that failed."""
    pulse_services.forget(world, since, "AWS/ECS", "AWS/ApplicationELB", "AWS/Cognito")
    minutes = int((until - since) / _MINUTE)
    pulse_services.beat(world, [until - number * _MINUTE for number in range(minutes, -1, -1)])


FAULTS: dict[str, Fault] = {
    "outage-bad-deploy": Fault(
        "A deployment of the backend succeeded and then broke: unhealthy targets, errors in the log, 503 at /health.",
        _outage_bad_deploy,
    ),
    "breach-exfiltration": Fault(
        "One address downloads study after study through the front door; web ACL, application and trail log it.",
        faults_breach.exfiltrate,
    ),
    "security-credential-stuffing": Fault(
        "Leaked passwords are tried from five addresses, and three fit; studies are read, a role is obtained.",
        faults_security.stuff_credentials,
    ),
    "database-pool-exhaustion": Fault(
        "The application holds every connection of the primary, which is well itself: time-outs, 503 at /health.",
        faults_database.pool_exhaustion,
    ),
    "database-instance-down": Fault(
        "The primary has failed, its standby with it: nothing is connected, 503 at /health; its replica is well.",
        faults_database.instance_down,
    ),
    "performance-cpu": Fault(
        "Two tasks do the work of many, answers take seconds, and autoscaling takes away what is added.",
        faults_performance.starve,
    ),
    "audit-logging-stopped": Fault(
        "Somebody stopped the account's trail three hours ago; the audit bucket gets nothing.",
        faults_upkeep.audit_logging_stopped,
    ),
    "authentication-down": Fault(
        "Nobody can sign in: Cognito answers with errors, and the application's log says so.",
        faults_upkeep.authentication_down,
    ),
    "backup-stale": Fault(
        "The primary has not been backed up for nine hours, and AWS Backup's last jobs failed.",
        faults_upkeep.backup_stale,
    ),
    "certificate-expiring": Fault(
        "The portal's certificate ends in nine days, and its renewal waits for a DNS record.",
        faults_upkeep.certificate_expiring,
    ),
    "alert-storm": Fault("Every alarm rings that is not of the gravest kind.", faults_upkeep.alert_storm),
    "feature-failing": Fault("Reports cannot be exported; everything else works.", faults_upkeep.feature_failing),
}


def _main_service(world: World) -> Service:
    """The service called `backend`, else the first one that the environment names."""
    services = world.environment.services
    if not services:
        raise FaultError(f"environment {world.environment.name!r} names no service that could break")
    return services.get("backend", next(iter(services.values())))
