"""Tell which addresses the web ACL blocked, and what the same addresses were allowed."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import Any, NamedTuple

from pydantic import Field

from activities.action import Params, ProbeAction, WebAclName, iam
from activities.aws.network.wafv2_acls import Waf
from activities.aws.shared.addresses import Networks
from activities.aws.shared.findings import plural, suspect_if, unknown
from activities.aws.shared.log_records import described, events, kept_since
from activities.aws.shared.windows import Window
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_SHOWN = 20
_NAMED = 3
_STOPPED = frozenset({"BLOCK", "CAPTCHA", "CHALLENGE"})
_ACTIONS = _STOPPED | {"ALLOW"}
_HIDDEN = {"UriPath", "Uri"}
_ENDINGS = {"ALLOW": "allowed", "BLOCK": "blocked"}


class RequestsParams(Params):
    """`threshold` allowed requests of one address are suspect; of those to `path` (a glob such as `/api/*`) alone."""

    web_acl: WebAclName
    window: Duration = Field(default=timedelta(hours=1), gt=timedelta(0))
    path: str | None = Field(default=None, min_length=1)
    threshold: int = Field(default=100, ge=1)


@dataclass
class _Address:
    """What one address asked for: all of it, and of what it was allowed that which matches the path."""

    address: str
    first: datetime
    last: datetime
    blocked: int = 0
    allowed: int = 0
    matching: int = 0
    minutes: Counter[int] = field(default_factory=Counter)

    def take(self, at: datetime, action: str, *, matches: bool) -> None:
        self.first, self.last = min(self.first, at), max(self.last, at)
        if action in _STOPPED:
            self.blocked += 1
            return
        self.allowed += 1
        if matches:
            self.matching += 1
            self.minutes[int(at.timestamp() // 60)] += 1

    def why(self, params: RequestsParams, ours: Networks) -> str | None:
        """What speaks against the address; nothing speaks against our own."""
        if self.address in ours:
            return None
        if self.matching >= params.threshold:
            return "volume"
        return "blocked-and-allowed" if self.blocked and self.allowed else None

    def describe(self, path: str | None) -> str:
        to = f", {self.matching} of them to {path}," if path else ""
        return (
            f"{self.address} was allowed {plural(self.allowed, 'request')}{to} and blocked "
            f"{plural(self.blocked, 'time')} since {short_time(self.first)}"
        )


class Requests(ProbeAction[RequestsParams]):
    """Counts a web ACL's logged requests by address, over `window` up to `at`.

    What was blocked is what was stopped; a breach shows in what the same addresses were allowed. Suspect are an address
    that was blocked and allowed, and one that was allowed `threshold` requests to `path`. Protected addresses are
    counted and never suspect. Only addresses, counts and times leave this probe. It reads the latest requests first and
    at most 50 pages; `truncated` then says that there are more. A log without a single request is unknown, not well,
    and so is one that goes elsewhere, lacks the window's beginning, drops requests or hides the paths asked for.
    """

    name = "wafv2.requests"
    permissions = iam("logs:DescribeLogGroups FilterLogEvents", "wafv2:GetLoggingConfiguration ListWebACLs")

    def observe(self, scope: Scope, params: RequestsParams, at: datetime) -> Finding:
        waf = Waf(self.clients, scope.environment, params.web_acl)
        group = waf.named.log_group
        ours = Networks(scope.environment.shielded.addresses)
        window = Window.before(at, params.window)
        places, hides = self._logging(waf, params)
        if not any(place.endswith(f":log-group:{group}") for place in places):
            where = f"logs to {', '.join(places)}, to be looked up there" if places else "logs nowhere"
            facts: dict[str, Any] = {"web_acl": params.web_acl, "log_group": group, "elsewhere": places}
            return unknown(f"{params.web_acl}: the web ACL {where}", facts, next(iter(places), None))
        logs = self.clients.client(waf.service.replace("wafv2", "logs"))
        since = kept_since(described(logs, group) or {}, window)
        found = events(logs, group, "", window)
        addresses: dict[str, _Address] = {}
        unread = 0
        for event in found.items("events"):
            unread += not _take(event["message"], addresses, params.path)
        why = {one.address: one.why(params, ours) for one in addresses.values()}
        # those that something speaks against first, then by what they were allowed and denied
        order = sorted(
            addresses.values(), key=lambda one: (why[one.address] is None, -one.matching, -one.allowed, -one.blocked)
        )
        suspects = [one for one in order if why[one.address]]
        blocked, allowed = sum(one.blocked for one in order), sum(one.allowed for one in order)
        facts = {
            "web_acl": params.web_acl,
            "requests": blocked + allowed,
            "blocked": blocked,
            "allowed": allowed,
            "addresses": len(order),
            "suspects": [one.address for one in suspects[:_SHOWN]],
            "by_address": [_facts(one, why[one.address], ours) for one in order[:_SHOWN]],
            "unread": unread,
            "hides": hides,
            "truncated": found.truncated,
            "kept_since": stamp_to_second(since),
            "log_group": group,
            "path": params.path,
            **window.facts(),
        }
        seen = _summary(params, blocked + allowed, suspects)
        more = " among the latest ones; there is more to search" if found.truncated else ""
        more += f"; {unread} lines could not be read" if unread else ""
        more += f"; the log {' and '.join(hides)}" if hides else ""
        more += f"; the log has none from before {short_time(since)}" if since else ""
        return suspect_if(
            suspects,
            f"{params.web_acl}: {seen} in the last {spoken(params.window)}{more}",
            facts,
            window.of(group),
            unsure=found.truncated or unread or hides or since or not order,
        )

    def _logging(self, waf: Waf, params: RequestsParams) -> tuple[list[str], list[str]]:
        """Where the web ACL logs, and what does not stand there (`wafv2:GetLoggingConfiguration`)."""
        try:
            found = waf.client.get_logging_configuration(ResourceArn=waf.acl()["ARN"])["LoggingConfiguration"]
        except waf.client.exceptions.WAFNonexistentItemException:
            return [], []
        given = found.get("LoggingFilter")
        hides = [f"leaves out {word} requests" for action, word in _ENDINGS.items() if drops(given, action)]
        hidden = any(_HIDDEN & field.keys() for field in found.get("RedactedFields") or [])
        hides += ["hides paths"] if params.path and hidden else []
        return found["LogDestinationConfigs"], hides


def drops(given: dict[str, Any] | None, action: str) -> bool:
    """Whether a filter keeps some requests of that end out of the log: the first that applies decides.

    One may have labels, and the actions of rules that ended nothing, such as COUNT (API LoggingFilter, ActionCondition:
    "the action setting that a log record must contain").
    """
    for one in (given or {}).get("Filters", []):
        conditions = [condition.get("ActionCondition", {}).get("Action") for condition in one["Conditions"]]
        meets = any if one["Requirement"] == "MEETS_ANY" else all
        if one["Behavior"] == "DROP" and meets(each == action or each not in _ENDINGS for each in conditions):
            return True
        if one["Behavior"] == "KEEP" and meets(each == action for each in conditions):
            return False
    return (given or {}).get("DefaultBehavior") == "DROP"


def _summary(params: RequestsParams, requests: int, suspects: list[_Address]) -> str:
    if not requests:
        return "no request is in the web ACL's log (does it still log?)"
    if not suspects:
        return f"{requests} requests and no address that stands out"
    more = f"; and {len(suspects) - _NAMED} more" if len(suspects) > _NAMED else ""
    return "; ".join(one.describe(params.path) for one in suspects[:_NAMED]) + more + ","


class Request(NamedTuple):
    """What counts of one logged request; `uri` is None where its record does not say."""

    address: str
    at: datetime
    action: str
    uri: str | None


def read_request(message: str) -> Request | None:
    """Read one line of a web ACL's log; None for one that is not understood."""
    try:
        record = json.loads(message)
        asked, action = record["httpRequest"], record["action"]
        at = datetime.fromtimestamp(record["timestamp"] / 1000, UTC)
        request = Request(str(ip_address(asked["clientIp"])), at, action, asked.get("uri"))
        known = action in _ACTIONS
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return request if known else None


def _take(message: str, addresses: dict[str, _Address], path: str | None) -> bool:
    """Count one line; False for one that cannot be read."""
    found = read_request(message)
    if found is None or (path is not None and found.uri is None):
        return False
    matches = path is None or fnmatchcase(str(found.uri), path)
    known = addresses.setdefault(found.address, _Address(found.address, found.at, found.at))
    known.take(found.at, found.action, matches=matches)
    return True


def _facts(one: _Address, why: str | None, ours: Networks) -> dict[str, Any]:
    return {
        "address": one.address,
        "blocked": one.blocked,
        "allowed": one.allowed,
        "matching": one.matching,
        "most_a_minute": max(one.minutes.values(), default=0),
        "first_at": stamp_to_second(one.first),
        "last_at": stamp_to_second(one.last),
        "ours": one.address in ours,
        "why": why,
    }
