"""Tell how many errors a service logged, and when; never what they say."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction, ServiceName, iam
from activities.aws.shared.log_records import events
from activities.aws.shared.windows import Window
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second


class LogErrorsParams(Params):
    """`pattern` is a CloudWatch Logs filter pattern, case-sensitive; fewer than `threshold` matches are no suspect."""

    service: ServiceName
    window: Duration = Field(default=timedelta(hours=1), gt=timedelta(0))
    pattern: str = Field(default="ERROR", min_length=1)
    threshold: int = Field(default=1, ge=1)


@dataclass
class _Seen:
    count: int = 0
    streams: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None
    truncated: bool = False

    def take(self, event: dict[str, Any]) -> None:
        moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        self.count += 1
        self.streams.add(event.get("logStreamName", ""))
        self.first = min(self.first or moment, moment)
        self.last = max(self.last or moment, moment)


class LogErrors(ProbeAction[LogErrorsParams]):
    """Counts the events of a service's log group that match, over `window` up to `at`.

    Log lines may hold personal information: only counts, times and where to look leave this probe. `follow` is
    the command by which a responder follows the log as it grows, with rights of their own. It reads the latest events
    first and at most 50 pages; `truncated` then says that there are more.
    """

    name = "logs.errors"
    permissions = iam("logs:FilterLogEvents")

    def observe(self, scope: Scope, params: LogErrorsParams, at: datetime) -> Finding:
        group = scope.environment.services[params.service].log_group
        window, seen = Window.before(at, params.window), _Seen()
        found = events(self.clients.client("logs"), group, params.pattern, window)
        for event in found.items("events"):
            seen.take(event)
        seen.truncated = found.truncated
        return Finding(
            status=_status(seen, params.threshold),
            summary=_summary(params, seen),
            facts={
                "service": params.service,
                "count": seen.count,
                "streams": len(seen.streams),
                "first_at": stamp_to_second(seen.first),
                "last_at": stamp_to_second(seen.last),
                "truncated": seen.truncated,
                "log_group": group,
                "pattern": params.pattern,
                "follow": f"aws logs tail {group} --follow --region {scope.environment.region}",
                **window.facts(),
            },
            evidence=window.of(group),
        )


def _status(seen: _Seen, threshold: int) -> FindingStatus:
    if seen.count >= threshold:
        return FindingStatus.SUSPECT
    return FindingStatus.UNKNOWN if seen.truncated else FindingStatus.OK


def _summary(params: LogErrorsParams, seen: _Seen) -> str:
    window = f"the last {spoken(params.window)}"
    if seen.first is None or seen.last is None:
        searched = " searched so far; there is more to search" if seen.truncated else ""
        return f"{params.service}: no {params.pattern} in the logs of {window}{searched}"
    least = "at least " if seen.truncated else ""
    return (
        f"{params.service}: {least}{seen.count} {params.pattern} in the logs of {window}, "
        f"between {short_time(seen.first)} and {short_time(seen.last)}"
    )
