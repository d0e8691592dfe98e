"""AWS CloudTrail's event history, which moto lacks: look recorded events up, latest first; and a trail's selectors."""

import calendar
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudtrail import models
from moto.cloudtrail.models import cloudtrail_backends
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.exceptions import JsonRESTError

from sandbox.aws import trail_digests
from sandbox.aws.moto_patch import patch

_get_event_selectors = CloudTrailResponse.get_event_selectors

NULL: dict[str, Any] = {"eventID": "null", "eventName": "", "eventSource": "iam.amazonaws.com", "userIdentity": {}}
"""An event without its record: `CloudTrailEvent` is optional (CloudTrail API, Event)."""
_HISTORY = "_event_history"
_ASKED = "_lookups"
_A_SECOND = 2
_KEPT = timedelta(days=90)
_MOST = 50
_KEYS = {
    "EventId": "eventID",
    "EventName": "eventName",
    "EventSource": "eventSource",
    "ReadOnly": "readOnly",
}


def install() -> None:
    """Patch moto with these operations."""
    trail_digests.install()
    patch(CloudTrailResponse, lookup_events=lookup_events, get_event_selectors=get_event_selectors)
    patch(models, datetime2int=datetime2int)


def datetime2int(date: datetime) -> int:
    """Turn moto's naive UTC into seconds since the epoch; moto's own version reads it as local time."""
    return calendar.timegm(date.timetuple())


def record(account: str, region: str, event: dict[str, Any]) -> None:
    """Record one event, as CloudTrail writes it (user guide, "CloudTrail record contents")."""
    _history(cloudtrail_backends[account][region]).append(event)


def slow(account: str, region: str) -> None:
    """Let CloudTrail keep to its pace from now on, in one account and region."""
    vars(cloudtrail_backends[account][region])[_ASKED] = []


def get_event_selectors(response: CloudTrailResponse) -> str:
    """Tell a trail's selectors; one that nobody gave any records all management events."""
    found: dict[str, Any] = json.loads(_get_event_selectors(response))
    if not found.get("EventSelectors") and not found.get("AdvancedEventSelectors"):
        # CloudTrail PutEventSelectors: "If you don't specify event selectors, all read and write management events"
        found["EventSelectors"] = [
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": True,
                "DataResources": [],
                "ExcludeManagementEventSources": [],
            }
        ]
    return json.dumps(found)


def lookup_events(response: CloudTrailResponse) -> str:
    """Look up one region's events of the last 90 days; at most one attribute, at most 50 events a page."""
    asked = vars(response.cloudtrail_backend).get(_ASKED)
    if asked is not None:
        # two requests a second, in an account and region (CloudTrail API, LookupEvents)
        if len(asked) >= _A_SECOND and time.monotonic() - asked[-_A_SECOND] < 1:
            raise JsonRESTError("ThrottlingException", "Rate exceeded")
        asked.append(time.monotonic())
    attributes = response._get_param("LookupAttributes") or []
    most = response._get_param("MaxResults") or _MOST
    token = response._get_param("NextToken") or "0"
    now = datetime.now(UTC)
    start = _instant(response._get_param("StartTime")) or now - _KEPT
    end = _instant(response._get_param("EndTime")) or now
    if len(attributes) > 1:
        raise JsonRESTError("InvalidLookupAttributesException", "You can use only one lookup attribute.")
    if not 1 <= most <= _MOST:
        raise JsonRESTError("InvalidMaxResultsException", "A limit of 1 to 50 is allowed.")
    if start > end:
        raise JsonRESTError("InvalidTimeRangeException", "The start time is after the end time.")
    if not token.isdecimal():
        raise JsonRESTError("InvalidNextTokenException", "The token is invalid.")
    found = [
        event
        for event in _history(response.cloudtrail_backend)
        if max(start, now - _KEPT) <= _at(event) <= end and all(_has(event, one) for one in attributes)
    ]
    found.sort(key=_at, reverse=True)
    first = int(token)
    page: dict[str, Any] = {"Events": [_shown(event) for event in found[first : first + most]]}
    if len(found) > first + most:
        page["NextToken"] = str(first + most)
    return json.dumps(page)


def _history(backend: Any) -> list[dict[str, Any]]:
    """The events of one account and region; kept on moto's backend so that a moto reset clears them."""
    events: list[dict[str, Any]] = backend.__dict__.setdefault(_HISTORY, [])
    return events


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    identity = event.get("userIdentity") or {}
    return {
        "EventId": event["eventID"],
        "EventName": event["eventName"],
        "ReadOnly": str(event.get("readOnly", False)).lower(),
        "AccessKeyId": identity.get("accessKeyId"),
        "EventTime": _at(event).timestamp(),
        "EventSource": event["eventSource"],
        "Username": _username(identity),
        "Resources": [],
        **({"CloudTrailEvent": json.dumps(event)} if event["eventName"] else {}),
    }


def _has(event: dict[str, Any], attribute: dict[str, str]) -> bool:
    key, value = attribute["AttributeKey"], attribute["AttributeValue"]
    identity = event.get("userIdentity") or {}
    if key == "Username":
        return _username(identity) == value
    if key == "AccessKeyId":
        return bool(identity.get("accessKeyId") == value)
    held = event.get(_KEYS[key]) if key in _KEYS else None
    return (str(held).lower() if isinstance(held, bool) else held) == value


def _username(identity: dict[str, Any]) -> str | None:
    # a role session has no userName: CloudTrail shows the session's name, the end of its ARN
    name = identity.get("userName") or identity.get("arn", "").rsplit("/", 1)[-1]
    return name or None


def _at(event: dict[str, Any]) -> datetime:
    return datetime.strptime(event["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _instant(value: Any) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(float(value), UTC)
