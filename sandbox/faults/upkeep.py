"""Faults in operations: the audit log, sign-in, backups, certificates and alarms; and in one feature."""

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudtrail.models import cloudtrail_backends
from moto.cognitoidp.models import cognitoidp_backends
from moto.s3.models import s3_backends

from domain.config.environment import Service
from sandbox.aws import backup, cloudtrail, rds_restores
from sandbox.aws.rollout import LOCK, moment
from sandbox.runtime.aws_world import FaultError, World
from sandbox.seed.databases import database_states, snapshots
from sandbox.seed.upkeep import certificate, following
from sandbox.traffic import background, service_traffic

_STOPPED = timedelta(hours=3)
_NO_SIGN_IN = timedelta(minutes=18)
_NO_BACKUP = timedelta(hours=9)
_LEFT = timedelta(days=9)
_PROVIDER = "ERROR sign-in failed: IdentityProvider answered InternalErrorException, attempt 3 of 3"
_EXPORT = "ERROR request failed: HTTP 500 on POST /api/exports (report renderer not available)"
_DENIED = "Access Denied: the role AWSBackupDefaultServiceRole cannot be assumed by AWS Backup"


def audit_logging_stopped(world: World) -> str:
    """Stop the trail as of three hours ago, and remove what it has delivered since."""
    environment = world.environment
    if not environment.trails or "audit-logs" not in environment.buckets:
        raise FaultError(f"environment {environment.name!r} names no trail to stop, or no bucket audit-logs")
    stopped = datetime.now(UTC) - _STOPPED
    trails = cloudtrail_backends[environment.account][environment.region].trails
    for name in environment.trails.values():
        status = trails[name].status
        status.stop_logging()
        status.stopped = stopped.replace(tzinfo=None)  # moto stores naive UTC
        status.latest_delivery_time = int(stopped.timestamp())
        cloudtrail.record(environment.account, environment.region, _stop_event(world, name, stopped))
    bucket = s3_backends[environment.account]["aws"].get_bucket(environment.buckets["audit-logs"])
    later = [key for key, one in bucket.keys.items() if key.startswith("AWSLogs/") and _aware(one) > stopped]
    for key in later:
        del bucket.keys[key]
    return f"{', '.join(environment.trails.values())} stopped logging at {stopped:%H:%M} UTC, by StopLogging"


def authentication_down(world: World) -> str:
    """Let every sign-in of the last eighteen minutes fail with an error from Cognito."""
    environment = world.environment
    if not environment.user_pools:
        raise FaultError(f"environment {environment.name!r} names no user pool to fail")
    now = datetime.now(UTC)
    began = now - _NO_SIGN_IN
    pools = cognitoidp_backends[environment.account][environment.region].user_pools
    for pool in environment.user_pools.values():
        vars(pools[pool])[service_traffic.FAILING] = True
    service_traffic.forget(world, began, "AWS/Cognito")
    moments = [began + timedelta(minutes=number) for number in range(int(_NO_SIGN_IN / timedelta(minutes=1)) + 1)]
    service_traffic.write_minutes(world, moments)
    if service := _service(world):
        background.write_log(world, service, [(at, _PROVIDER) for at in moments])
    return f"nobody has been able to sign in since {began:%H:%M} UTC: Cognito answers InternalErrorException"


def backup_stale(world: World) -> str:
    """Let the last backup be nine hours old, and AWS Backup's last jobs have failed."""
    environment = world.environment
    primaries = {name: one for name, one in environment.databases.items() if one.replica_of is None}
    if not primaries:
        raise FaultError(f"environment {environment.name!r} names no database to back up")
    now = moment()
    with LOCK:
        states = database_states(world)
        for name in primaries:
            states[name].stuck_at = now - _NO_BACKUP
    for database in primaries.values():
        arn = environment.arn("rds", f"db:{database.identifier}")
        for hours in (9, 1):
            backup.job(environment.account, environment.region, arn, now - timedelta(hours=hours), _DENIED)
    named = ", ".join(one.identifier for one in primaries.values())
    return f"{named} can be restored up to {now - _NO_BACKUP:%H:%M} UTC only; two backup jobs failed"


def certificate_expiring(world: World) -> str:
    """Let the certificates expire in nine days, their renewal blocked by a missing DNS record."""
    environment = world.environment
    if not environment.certificates:
        raise FaultError(f"environment {environment.name!r} names no certificate to expire")
    now = datetime.now(UTC)
    renewal: dict[str, Any] = {
        "RenewalStatus": "PENDING_VALIDATION",
        "RenewalStatusReason": "DOMAIN_VALIDATION_DENIED",
        "DomainValidationOptions": [],
        "UpdatedAt": (now - timedelta(days=20)).timestamp(),
    }
    for name, arn in environment.certificates.items():
        certificate(environment, name, arn, now + _LEFT, renewal)
    return f"certificates that expire in {_LEFT.days} days and are not renewed: {', '.join(environment.certificates)}"


def alert_storm(world: World) -> str:
    """Set off every alarm except the most severe ones."""
    names, cloudwatch = following(world.environment), world.client("cloudwatch")
    if not names:
        raise FaultError(f"environment {world.environment.name!r} names nothing with an alarm")
    for name in names:
        reason = "Threshold Crossed: 3 datapoints were greater than the threshold (80.0)."
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=reason)
    return f"{len(names)} alarms went off at once"


def feature_failing(world: World) -> str:
    """Let one feature, the export of reports, fail while everything else works."""
    if not (service := _service(world)):
        raise FaultError(f"environment {world.environment.name!r} names no service with a feature")
    now = datetime.now(UTC)
    background.write_log(
        world, service, [(now - timedelta(minutes=2 * number), _EXPORT) for number in range(14, -1, -1)]
    )
    return f"{service.service} exports no reports; everything else works"


def _stop_event(world: World, trail: str, at: datetime) -> dict[str, Any]:
    environment = world.environment
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "arn": environment.arn("iam", "user/support-readonly"),
            "userName": "support-readonly",
        },
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": "StopLogging",
        "awsRegion": environment.region,
        "sourceIPAddress": "203.0.113.70",
        "userAgent": "aws-cli/2.28.0",
        "requestParameters": {"name": trail},
        "eventID": f"stop-{trail}",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": environment.account,
        "eventCategory": "Management",
    }


def snapshot_unusable(world: World) -> str:
    """Let no snapshot be one that RDS can restore, as those of a damaged volume are not; nothing shows it before."""
    found = snapshots(world)
    if not found:
        raise FaultError(f"environment {world.environment.name!r} has no snapshot of a database")
    for snapshot in found:
        rds_restores.unusable(snapshot)
    return f"{len(found)} snapshots are available, and none of them can be restored"


def _service(world: World) -> Service | None:
    services = world.environment.services
    return services.get("backend", next(iter(services.values()), None))


def _aware(stored: Any) -> datetime:
    written: datetime = stored.last_modified
    return written.replace(tzinfo=UTC)
