"""The log of a web ACL, line by line as AWS WAF writes it (WAF developer guide, "Log fields")."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from domain.config.environment import WebAcl
from sandbox.runtime.aws_world import World

_BATCH = 400  # CloudWatch Logs accepts 1 MiB a call
_BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
_USERS = ("203.0.113.130", "203.0.113.141", "192.0.2.44", "192.0.2.61", "2001:db8:1:2::9")
_PATHS = ("/", "/api/studies", "/api/sessions/current", "/api/worklist")


@dataclass(frozen=True)
class Request:
    """One request as the web ACL saw it; `rule` is the rule that decided it."""

    at: datetime
    address: str
    path: str
    action: str = "ALLOW"
    rule: str = "Default_Action"
    method: str = "GET"
    agent: str = _BROWSER
    country: str = "AU"


def usual(world: World, moments: list[datetime]) -> None:
    """Write a minute of normal use by a handful of people, up to each of these times, to every web ACL's log."""
    requests = [
        Request(at - timedelta(seconds=7 * number), address, _PATHS[(at.minute + number) % len(_PATHS)])
        for at in moments
        for number, address in enumerate(_USERS)
    ]
    for acl in world.environment.web_acls.values():
        write(world, acl, requests)


def write(world: World, acl: WebAcl, requests: list[Request]) -> None:
    """Write requests, oldest first, to the log group of a web ACL (CloudWatch Logs `PutLogEvents`)."""
    logs = world.client("logs")
    stream = f"{world.environment.region}_{acl.name}_0"
    where = {"logGroupName": acl.log_group, "logStreamName": stream}
    known = logs.describe_log_streams(logGroupName=acl.log_group, logStreamNamePrefix=stream)["logStreams"]
    if not known:
        logs.create_log_stream(**where)
    arn = _arn(world, acl)
    events = [
        {"timestamp": _milliseconds(one.at), "message": json.dumps(_line(world, arn, one), separators=(",", ":"))}
        for one in sorted(requests, key=lambda one: one.at)
    ]
    for start in range(0, len(events), _BATCH):
        logs.put_log_events(**where, logEvents=events[start : start + _BATCH])


def _line(world: World, arn: str, request: Request) -> dict[str, Any]:
    environment = world.environment
    balancer = next(iter(environment.load_balancers.values()), None)
    managed = request.rule.startswith("AWS-")
    return {
        "timestamp": _milliseconds(request.at),
        "formatVersion": 1,
        "webaclId": arn,
        "terminatingRuleId": request.rule,
        "terminatingRuleType": "MANAGED_RULE_GROUP" if managed else "REGULAR",
        "action": request.action,
        "terminatingRuleMatchDetails": [],
        "httpSourceName": "ALB",
        "httpSourceId": f"{environment.account}-{balancer.arn.split(':loadbalancer/')[-1]}" if balancer else "-",
        "ruleGroupList": [],
        "rateBasedRuleList": [],
        "nonTerminatingMatchingRules": [],
        "requestHeadersInserted": None,
        "responseCodeSent": None,
        "httpRequest": {
            "clientIp": request.address,
            "country": request.country,
            "headers": [{"name": "host", "value": "portal.example"}, {"name": "user-agent", "value": request.agent}],
            "uri": request.path,
            "args": "",
            "httpVersion": "HTTP/2.0",
            "httpMethod": request.method,
            "requestId": _request_id(request),
        },
        "labels": [],
    }


def _arn(world: World, acl: WebAcl) -> str:
    found = world.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]
    return str(next(one["ARN"] for one in found if one["Name"] == acl.name))


def _request_id(request: Request) -> str:
    """Make a trace id for the request, as a load balancer does."""
    digest = sha256(f"{request.at.isoformat()} {request.address} {request.path}".encode()).hexdigest()
    return f"1-{int(request.at.astimezone(UTC).timestamp()):08x}-{digest[:24]}"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
