"""Tell what RDS itself did with an instance lately."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import DatabaseName, Params, ProbeAction, iam
from activities.aws.shared.findings import suspect_if
from activities.aws.shared.pages import Pages
from activities.aws.shared.windows import Window
from domain.model.activity_io import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_KEPT = timedelta(days=14)
_GRAVE = ("availability", "failover", "failure", "low storage", "maintenance", "recovery", "restoration")


class DatabaseEventsParams(Params):
    """`window` ends at the look; RDS keeps events for 14 days."""

    database: DatabaseName
    window: Duration = Field(default=timedelta(hours=2), gt=timedelta(0), le=_KEPT)


class DatabaseEvents(ProbeAction[DatabaseEventsParams]):
    """Counts the events of an instance over `window` up to `at`, by category.

    Suspect when one tells of a failure, a failover, a restart, maintenance or lacking storage. Both ends of the window
    are instants: a date alone means a whole day.
    """

    name = "rds.events"
    permissions = iam("rds:DescribeEvents")

    def observe(self, scope: Scope, params: DatabaseEventsParams, at: datetime) -> Finding:
        identifier = scope.environment.databases[params.database].identifier
        window = Window.before(at, params.window)
        asked: dict[str, Any] = {"SourceIdentifier": identifier, "SourceType": "db-instance"}
        asked |= {"StartTime": window.start, "EndTime": window.end}
        listed = Pages(self.clients.client("rds").describe_events, cursor="Marker", **asked).items("Events")
        events = [event for event in listed if window.start <= event["Date"] <= window.end]
        counts = Counter(category for event in events for category in event.get("EventCategories", []))
        grave = {name: counts[name] for name in _GRAVE if counts[name]}
        last = max((event["Date"] for event in events), default=None)
        return suspect_if(
            grave,
            _summary(params, counts, last),
            {
                "database": params.database,
                "count": len(events),
                "categories": dict(sorted(counts.items())),
                "grave": grave,
                "last_at": stamp_to_second(last),
                **window.facts(),
            },
            window.of(f"RDS events of {identifier}"),
        )


def _summary(params: DatabaseEventsParams, counts: Counter[str], last: datetime | None) -> str:
    window = f"in the last {spoken(params.window)}"
    if last is None:
        return f"{params.database}: RDS reports no event {window}"
    events = ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "events without a category"
    return f"{params.database}: RDS reports {events} {window}, the last at {short_time(last)}"
