"""Credential stuffing: passwords leaked elsewhere are tried from five addresses, and three work."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from domain.config.environment import Service
from sandbox.aws import cloudtrail
from sandbox.runtime.aws_world import World
from sandbox.seed.user_pools import COUNT, sub
from sandbox.traffic import background, sign_in_log, waf_log
from sandbox.traffic.waf_log import Request

ATTACKERS = tuple(f"198.51.100.{last}" for last in (61, 62, 63, 64, 65))
"""From a documentation network (RFC 5737), so nobody's."""

TAKEN = (sub(1), sub(4), sub(7))
"""The accounts taken over."""

_LASTS = timedelta(minutes=40)
_EVERY = timedelta(seconds=6)
_READS = 42
_AGENT = "python-requests/2.32.3"


def stuff_credentials(world: World) -> str:
    """Write forty minutes of an attack that goes on: guesses, three successes, one role obtained, and reads."""
    now = datetime.now(UTC)
    began = now - _LASTS
    guesses = [(began + number * _EVERY, ATTACKERS[number % 5], number) for number in range(int(_LASTS / _EVERY))]
    entered = [(now - timedelta(minutes=9 - 2 * number), ATTACKERS[number], TAKEN[number]) for number in range(3)]
    if service := _backend(world):
        _write_application_log(world, service, guesses, entered)
    _write_waf_log(world, guesses, entered)
    _write_trail(world, now)
    return (
        f"{len(guesses)} passwords were tried from {len(ATTACKERS)} addresses in {_LASTS.seconds // 60} minutes, "
        f"{len(entered)} worked; {_READS} studies were read since, a role and an access key were obtained"
    )


def _write_application_log(
    world: World,
    service: Service,
    guesses: list[tuple[datetime, str, int]],
    entered: list[tuple[datetime, str, str]],
) -> None:
    lines = [sign_in_log.sign_in(at, address, _tried(number), success=False) for at, address, number in guesses]
    lines += [sign_in_log.sign_in(at, address, account, success=True) for at, address, account in entered]
    at, address, account = entered[-1]
    lines.append(sign_in_log.escalation(at + timedelta(seconds=40), address, account, "administrator", success=True))
    at, address, account = entered[0]
    lines += [
        sign_in_log.access(at + timedelta(seconds=5 + 3 * number), address, account, _study(number))
        for number in range(_READS)
    ]
    background.write_log(world, service, sorted(lines))


def _write_waf_log(
    world: World, guesses: list[tuple[datetime, str, int]], entered: list[tuple[datetime, str, str]]
) -> None:
    """Every fourth guess hits the rate limit; the next three get through."""
    asked: dict[str, Any] = {"method": "POST", "agent": _AGENT, "country": "NL"}
    requests = [
        Request(at, address, "/api/sessions", "BLOCK", "rate-limit-sessions", **asked)
        if number % 4 == 0
        else Request(at, address, "/api/sessions", **asked)
        for at, address, number in guesses
    ]
    requests += [Request(at, address, "/api/sessions", **asked) for at, address, _ in entered]
    at, address, _ = entered[0]
    requests += [
        Request(at + timedelta(seconds=5 + 3 * number), address, f"/api/studies/{_study(number)}", agent=_AGENT)
        for number in range(_READS)
    ]
    for acl in world.environment.web_acls.values():
        waf_log.write(world, acl, requests)


def _write_trail(world: World, now: datetime) -> None:
    """The delivery pipeline changed a policy, as usual; a support user made an access key, and was denied more."""
    account = world.environment.account
    role = world.environment.arn("iam", "role/axis-imaging-deploy-production")
    session = world.environment.arn("sts", "assumed-role/axis-imaging-deploy-production/release-41")
    pipeline = {
        "type": "AssumedRole",
        "arn": session,
        "accessKeyId": "ASIASANDBOXDEPLOY001",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "userName": role.rsplit("/", 1)[-1]}},
    }
    support = {
        "type": "IAMUser",
        "arn": world.environment.arn("iam", "user/support-readonly"),
        "userName": "support-readonly",
        "accessKeyId": "AKIASANDBOXSUPPORT01",
    }
    events: list[tuple[timedelta, dict[str, Any], str, str, str | None]] = [
        (timedelta(minutes=95), pipeline, "AttachRolePolicy", "10.0.1.20", None),
        (timedelta(minutes=6), support, "PutUserPolicy", ATTACKERS[2], "AccessDenied"),
        (timedelta(minutes=5), support, "CreateAccessKey", ATTACKERS[2], None),
    ]
    for ago, identity, name, address, error in events:
        at = now - ago
        event = {
            "eventVersion": "1.11",
            "userIdentity": identity,
            "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": "iam.amazonaws.com",
            "eventName": name,
            "awsRegion": world.environment.home_region,
            "sourceIPAddress": address,
            "userAgent": "aws-cli/2.28.0",
            "requestID": str(uuid5(NAMESPACE_URL, f"request {name} {at.isoformat()}")),
            "eventID": str(uuid5(NAMESPACE_URL, f"event {name} {at.isoformat()}")),
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": account,
            "eventCategory": "Management",
            **({"errorCode": error} if error else {}),
        }
        cloudtrail.record(account, world.environment.home_region, event)


def _tried(number: int) -> str:
    """The account tried: most leaked ones do not exist here."""
    return sub(number % COUNT) if number % 5 == 0 else str(uuid5(NAMESPACE_URL, f"leaked {number}"))


def _study(number: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"study {number}"))


def _backend(world: World) -> Service | None:
    services = world.environment.services
    return services.get("backend", next(iter(services.values()), None))
