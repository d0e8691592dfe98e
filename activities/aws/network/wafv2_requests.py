"""Tell which addresses the web ACL blocked, and what the same addresses were allowed."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction, WebAclName, iam
from activities.aws.shared.log_records import events
from activities.aws.shared.windows import Window
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_SHOWN = 20
_NAMED = 3
_STOPPED = frozenset({"BLOCK", "CAPTCHA", "CHALLENGE"})


class RequestsParams(Params):
    """`threshold` allowed requests of one address are suspect; of those to `path` (a glob such as `/api/*`) alone."""

    web_acl: WebAclName
    window: Duration = Field(default=timedelta(hours=1), gt=timedelta(0))
    path: str | None = Field(default=None, min_length=1)
    threshold: int = Field(default=100, ge=1)


@dataclass
class _Address:
    blocked: int = 0
    allowed: int = 0
    matching: int = 0
    minutes: Counter[int] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    ours: bool = False

    def take(self, record: dict[str, Any], path: str | None) -> None:
        at = datetime.fromtimestamp(record["timestamp"] / 1000, UTC)
        self.first, self.last = min(self.first or at, at), max(self.last or at, at)
        if record["action"] in _STOPPED:
            self.blocked += 1
            return
        self.allowed += 1
        if path is None or fnmatchcase(str(record["httpRequest"].get("uri", "")), path):
            self.matching += 1
            self.minutes[int(at.timestamp() // 60)] += 1

    def why(self, threshold: int) -> str | None:
        """What speaks against the address; nothing speaks against our own."""
        if self.ours:
            return None
        if self.matching >= threshold:
            return "volume"
        return "blocked-and-allowed" if self.blocked and self.allowed else None


@dataclass
class _Seen:
    requests: int = 0
    unreadable: int = 0
    truncated: bool = False
    addresses: dict[str, _Address] = field(default_factory=dict)

    def take(self, message: str, path: str | None) -> None:
        try:
            record = json.loads(message)
            address = str(ip_address(record["httpRequest"]["clientIp"]))
            self.addresses.setdefault(address, _Address()).take(record, path)
            self.requests += 1
        except (ValueError, KeyError, TypeError, AttributeError):
            self.unreadable += 1


class Requests(ProbeAction[RequestsParams]):
    """Counts a web ACL's logged requests by address, over `window` up to `at`.

    What was blocked is what was stopped; a breach shows in what the same addresses were allowed. Suspect are an address
    that was blocked and allowed, and one that was allowed `threshold` requests to `path`. Protected addresses are
    counted and never suspect. Only addresses, counts and times leave this probe. It reads the latest requests first and
    at most 50 pages; `truncated` then says that there are more. A log without a single request is unknown, not well.
    """

    name = "wafv2.requests"
    permissions = iam("logs:FilterLogEvents")

    def observe(self, scope: Scope, params: RequestsParams, at: datetime) -> Finding:
        group = scope.environment.web_acls[params.web_acl].log_group
        window, seen = Window.before(at, params.window), _Seen()
        found = events(self.clients.client("logs"), group, "", window)
        for event in found.items("events"):
            seen.take(event["message"], params.path)
        seen.truncated = found.truncated
        protected = [ip_network(one, strict=False) for one in scope.environment.protected.addresses]
        for address, one in seen.addresses.items():
            one.ours = any(ip_address(address) in network for network in protected)
        return Finding(
            status=_status(seen, params.threshold),
            summary=_summary(params, seen),
            facts={
                "web_acl": params.web_acl,
                "requests": seen.requests,
                "blocked": sum(one.blocked for one in seen.addresses.values()),
                "allowed": sum(one.allowed for one in seen.addresses.values()),
                "addresses": len(seen.addresses),
                "suspects": [address for address, _ in _suspects(seen, params.threshold)][:_SHOWN],
                "by_address": [_facts(*item, params.threshold) for item in _ordered(seen, params.threshold)[:_SHOWN]],
                "unreadable": seen.unreadable,
                "truncated": seen.truncated,
                "log_group": group,
                "path": params.path,
                **window.facts(),
            },
            evidence=window.of(group),
        )


def _ordered(seen: _Seen, threshold: int) -> list[tuple[str, _Address]]:
    """Every address, those that something speaks against first, then by what they were allowed and denied."""
    return sorted(
        seen.addresses.items(),
        key=lambda item: (item[1].why(threshold) is None, -item[1].matching, -item[1].allowed, -item[1].blocked),
    )


def _suspects(seen: _Seen, threshold: int) -> list[tuple[str, _Address]]:
    return [item for item in _ordered(seen, threshold) if item[1].why(threshold)]


def _facts(address: str, one: _Address, threshold: int) -> dict[str, Any]:
    return {
        "address": address,
        "blocked": one.blocked,
        "allowed": one.allowed,
        "matching": one.matching,
        "most_a_minute": max(one.minutes.values(), default=0),
        "first_at": stamp_to_second(one.first),
        "last_at": stamp_to_second(one.last),
        "ours": one.ours,
        "why": one.why(threshold),
    }


def _status(seen: _Seen, threshold: int) -> FindingStatus:
    if _suspects(seen, threshold):
        return FindingStatus.SUSPECT
    return FindingStatus.UNKNOWN if seen.truncated or not seen.requests else FindingStatus.OK


def _summary(params: RequestsParams, seen: _Seen) -> str:
    window = f"the last {spoken(params.window)}"
    if not seen.requests:
        return f"{params.web_acl}: no request in the web ACL's log of {window}: does it still log?"
    searched = " among the latest ones; there is more to search" if seen.truncated else ""
    suspects = _suspects(seen, params.threshold)
    if not suspects:
        return f"{params.web_acl}: {seen.requests} requests in {window}, no address stands out{searched}"
    described = "; ".join(_describe(*item, params.path) for item in suspects[:_NAMED])
    more = f"; and {len(suspects) - _NAMED} more" if len(suspects) > _NAMED else ""
    return f"{params.web_acl}: {described}{more}, in {window}{searched}"


def _describe(address: str, one: _Address, path: str | None) -> str:
    to = f", {one.matching} of them to {path}" if path else ""
    since = f" since {short_time(one.first)}" if one.first else ""
    return f"{address} was allowed {one.allowed} requests{to} and blocked {one.blocked} times{since}"
