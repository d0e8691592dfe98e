"""Faults that end outside an incident: AWS mends what is its own, people mend what no step of a runbook does."""

from datetime import UTC, datetime

from moto.cognitoidp.models import cognitoidp_backends

from sandbox.aws import rds_restores
from sandbox.aws.rollout import LOCK
from sandbox.runtime.aws_world import World
from sandbox.seed.databases import database_states, snapshots
from sandbox.seed.upkeep import CERTIFICATE_LASTS, certificate, following
from sandbox.traffic import service_traffic


def authentication_restored(world: World) -> str:
    """Let people sign in again, from this minute on."""
    environment = world.environment
    pools = cognitoidp_backends[environment.account][environment.region].user_pools
    for pool in environment.user_pools.values():
        vars(pools[pool]).pop(service_traffic.FAILING, None)
    service_traffic.write_minutes(world, [datetime.now(UTC)])
    return "Cognito answers sign-ins again"


def backup_resumed(world: World) -> str:
    """Let the databases be backed up again."""
    with LOCK:
        for state in database_states(world).values():
            state.stuck_at = None
    return "the databases are backed up again, and can be restored to some minutes ago"


def certificate_renewed(world: World) -> str:
    """Let ACM have validated the domains and renewed the certificates."""
    environment, now = world.environment, datetime.now(UTC)
    for name, arn in environment.certificates.items():
        renewal = {"RenewalStatus": "SUCCESS", "DomainValidationOptions": [], "UpdatedAt": now.timestamp()}
        certificate(environment, name, arn, now + CERTIFICATE_LASTS, renewal)
    return f"ACM has renewed {', '.join(environment.certificates)}"


def snapshot_usable(world: World) -> str:
    """Let every snapshot be one that can be restored."""
    for snapshot in (found := snapshots(world)):
        rds_restores.usable(snapshot)
    return f"{len(found)} snapshots can be restored again"


def alert_storm_over(world: World) -> str:
    """Let the alarms be well again."""
    names, cloudwatch = following(world.environment), world.client("cloudwatch")
    for name in names:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="Threshold no longer crossed.")
    return f"{len(names)} alarms are well again"
