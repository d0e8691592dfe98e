"""Read the JSON lines that an application logs; no line, and nobody's name, leaves the worker."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from activities.action import Params
from activities.aws.shared.pages import Pages
from activities.aws.shared.windows import Window

_PAGES = 50

Take = Callable[[datetime, dict[str, Any]], None]


class Fields(Params):
    """What the application calls the fields of its JSON lines; the first two are the runbook's."""

    event: str = "eventType"
    success: str = "success"
    address: str = "sourceIp"
    account: str = "userId"
    role: str = "role"
    resource: str = "resourceId"


@dataclass
class Read:
    """How much was read: lines that are no JSON object are `unreadable`; `truncated` says that there are more."""

    unreadable: int = 0
    truncated: bool = False


def read(logs: Any, group: str, pattern: str, window: Window, take: Take) -> Read:
    """Hand every JSON line of a window that matches to `take`, the latest page first (`logs:FilterLogEvents`).

    At most 50 pages are read. A caller checks each line's fields again: the pattern only saves traffic.
    """
    done = Read()
    found = events(logs, group, pattern, window)
    for event in found.items("events"):
        record = _object(event["message"])
        if record is None:
            done.unreadable += 1
        else:
            take(datetime.fromtimestamp(event["timestamp"] / 1000, UTC), record)
    done.truncated = found.truncated
    return done


def events(logs: Any, group: str, pattern: str, window: Window, most_pages: int = _PAGES) -> Pages:
    """The events of a window that match a filter pattern, if any, the latest page first (`logs:FilterLogEvents`)."""
    start, end = window.milliseconds()
    asked: dict[str, Any] = {"logGroupName": group, "startTime": start, "endTime": end}
    asked |= {"filterPattern": pattern} if pattern else {}
    latest_first = {"startFromHead": False}
    return Pages(logs.filter_log_events, cursor="nextToken", first=latest_first, most=most_pages, **asked)


def any_of(field: str, values: tuple[str, ...]) -> str:
    """Write the filter pattern for lines whose field has one of these values."""
    return "{ " + " || ".join(f'($.{field} = "{value}")' for value in values) + " }"


def address(value: Any) -> str | None:
    """An internet address as such; None for anything else that may stand where one should."""
    try:
        return str(ip_address(str(value)))
    except ValueError:
        return None


def pseudonym(incident: str, account: str) -> str:
    """Name an account without telling whose it is: the same within one incident, and only there."""
    return hashlib.sha256(f"{incident}/{account}".encode()).hexdigest()[:16]


def _object(message: str) -> dict[str, Any] | None:
    try:
        record = json.loads(message)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
