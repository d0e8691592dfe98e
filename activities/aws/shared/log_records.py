"""Read what an application logs of people's doings, by the declared formats; nobody's name leaves the worker."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, NamedTuple

from activities.aws.shared.pages import Pages
from activities.aws.shared.windows import Window
from domain.config.log_formats import LineFormat
from domain.rules.log_lines import Unread, at_path, first_of, read_line

_PAGES = 50


class Record(NamedTuple):
    """A line that was understood, when it was logged, and the format that says what its fields are called."""

    at: datetime
    fields: Mapping[str, Any]
    format: LineFormat

    def says(self, key: str) -> Any:
        """What stands under one of the format's keys; None where nothing does."""
        return at_path(self.fields, getattr(self.format.keys, key))

    def is_of(self, event: str) -> bool:
        """Whether it is of that event, whatever the case in which the application writes it."""
        return str(self.says("event")).lower() == event.lower()

    @property
    def success(self) -> bool | None:
        """Whether it succeeded; None where the line does not say so in the format's words."""
        said = str(self.says("success")).lower()
        if said in self.format.succeeded:
            return True
        return False if said in self.format.failed else None


def record(formats: Iterable[LineFormat], event: Mapping[str, Any]) -> Record | None:
    """Read an event by the first format that fits (`log_lines.first_of`); None where none does."""
    read = [(read_line(declared, event["message"]), declared) for declared in formats]
    line = first_of(one for one, _ in read)
    if isinstance(line, Unread):
        return None
    return Record(moment_of(event), line.fields, next(declared for one, declared in read if one is line))


def moment_of(event: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(event["timestamp"] / 1000, UTC)


def described(logs: Any, group: str) -> dict[str, Any] | None:
    """Describe a log group; None when there is none (`logs:DescribeLogGroups`)."""
    groups = Pages(logs.describe_log_groups, cursor="nextToken", logGroupNamePrefix=group).items("logGroups")
    return next((dict(one) for one in groups if one["logGroupName"] == group), None)


def kept_since(group: dict[str, Any], window: Window, *begun: datetime) -> datetime | None:
    """From when on a described log group has lines, where that is within a window; None where it has all of it.

    It keeps none for longer than its retention, and has none from before it was made: after a deletion, made again
    (CloudWatch Logs API LogGroup, `creationTime` and `retentionInDays`). `begun` is when what writes to it was made.
    """
    found = [window.start, *begun]
    if made := group.get("creationTime"):
        found.append(datetime.fromtimestamp(made / 1000, UTC))
    if days := group.get("retentionInDays"):
        found.append(window.end - timedelta(days=days))
    return None if max(found) == window.start else max(found)


def only_queried(group: dict[str, Any]) -> bool:
    """Whether a described log group is read by Logs Insights alone (CloudWatch Logs user guide, "Log classes")."""
    return group.get("logGroupClass") == "INFREQUENT_ACCESS"


def events(logs: Any, group: str, pattern: str, window: Window, most_pages: int = _PAGES) -> Pages:
    """The events of a window that match a filter pattern, if any, the latest page first (`logs:FilterLogEvents`)."""
    start, end = window.milliseconds()
    asked: dict[str, Any] = {"logGroupName": group, "startTime": start, "endTime": end}
    asked |= {"filterPattern": pattern} if pattern else {}
    latest_first = {"startFromHead": False}
    return Pages(logs.filter_log_events, cursor="nextToken", first=latest_first, most=most_pages, **asked)


def address(value: Any) -> str | None:
    """An internet address as such; None for anything else that may stand where one should.

    A server that listens for both families writes IPv4 clients as `::ffff:192.0.2.1` (RFC 4291, 2.5.5.2).
    """
    try:
        found = ip_address(str(value))
    except ValueError:
        return None
    return str(getattr(found, "ipv4_mapped", None) or found)


def pseudonym(incident: str, account: str) -> str:
    """Name an account without telling whose it is: the same within one incident, and only there."""
    return hashlib.sha256(f"{incident}/{account}".encode()).hexdigest()[:16]
