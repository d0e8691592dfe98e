"""Tell what RDS itself did with an instance lately."""

from collections import Counter
from datetime import datetime, timedelta

from pydantic import Field

from activities.action import DatabaseParams, ProbeAction, iam
from activities.aws.database.described_database import Described, found
from activities.aws.shared.findings import plural, suspect_if
from activities.aws.shared.pages import Pages
from activities.aws.shared.windows import Window
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_KEPT = timedelta(days=14)
_PAGES = 20
_GRAVE = ("availability", "failover", "failure", "low storage", "maintenance", "recovery", "restoration")


class DatabaseEventsParams(DatabaseParams):
    """`window` ends at the look; RDS keeps events for 14 days."""

    window: Duration = Field(default=timedelta(hours=2), gt=timedelta(0), le=_KEPT)


class DatabaseEvents(ProbeAction[DatabaseEventsParams]):
    """Counts the events of a database over `window` up to `at`, by category; a cluster's and its members' are one.

    Suspect when one tells of a failure, a failover, a restart, maintenance or lacking storage. Both ends of the window
    are instants: a date alone means a whole day. RDS answers no event for a name that it does not know, so the database
    is looked up first; one without a category is counted as `unread`, and nothing is well with one. Nor with none at
    all: RDS sends its events as best it can ("Monitoring Amazon RDS events"), so that none is no proof of quiet.
    """

    name = "rds.events"
    permissions = iam("rds:DescribeDBClusters DescribeDBInstances DescribeEvents")

    def observe(self, scope: Scope, params: DatabaseEventsParams, at: datetime) -> Finding:
        place = found(self.clients, scope.environment.databases[params.database])
        window = Window.before(at, params.window)
        asked = [
            Pages(
                self.clients.client("rds").describe_events,
                cursor="Marker",
                most=_PAGES,
                SourceType=kind,
                SourceIdentifier=identifier,
                StartTime=window.start,
                EndTime=window.end,
            )
            for kind, identifier in _sources(place)
        ]
        listed = [event for pages in asked for event in pages.items("Events")]
        events = [event for event in listed if window.start <= event["Date"] <= window.end]
        counts = Counter(category for event in events for category in event.get("EventCategories", []))
        grave = {name: counts[name] for name in _GRAVE if counts[name]}
        unread = sum(not event.get("EventCategories") for event in events)
        truncated = any(pages.truncated for pages in asked)
        last = max((event["Date"] for event in events), default=None)
        facts = {
            "database": params.database,
            "count": len(events),
            "categories": dict(sorted(counts.items())),
            "grave": grave,
            "unread": unread,
            "truncated": truncated,
            "last_at": stamp_to_second(last),
            **window.facts(),
        }
        summary = _summary(params, counts, last)
        summary += f"; {unread} without a category" if unread else ""
        summary += "; there are more than were read" if truncated else ""
        evidence = window.of(f"RDS events of {place.instance['DBInstanceIdentifier']}")
        return suspect_if(grave, summary, facts, evidence, unsure=unread or truncated or not events)


def _sources(place: Described) -> list[tuple[str, str]]:
    """Whose events are those of a database; events stand under the cluster and under each of its members."""
    if place.cluster is None:
        return [("db-instance", place.instance["DBInstanceIdentifier"])]
    members = [one["DBInstanceIdentifier"] for one in place.cluster.get("DBClusterMembers", [])]
    return [("db-cluster", place.cluster["DBClusterIdentifier"]), *(("db-instance", one) for one in members)]


def _summary(params: DatabaseEventsParams, counts: Counter[str], last: datetime | None) -> str:
    window = f"in the last {spoken(params.window)}"
    if last is None:
        return f"{params.database}: RDS reports no event {window}, which is no proof that nothing happened"
    events = ", ".join(plural(count, f"{name} event") for name, count in counts.most_common()) or "events"
    return f"{params.database}: RDS reports {events} {window}, the last at {short_time(last)}"
