"""Tell whether a service still writes to its log."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction, ServiceName
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_PAGES = 50


class LastEventParams(Params):
    """Suspect when nothing that matches `pattern`, a CloudWatch Logs filter pattern, is younger than `silence`."""

    service: ServiceName
    pattern: str = ""
    silence: Duration = Field(default=timedelta(minutes=15), gt=timedelta(0))


class LastEvent(ProbeAction[LastEventParams]):
    """Looks for a service's log events within `silence` up to `at` (`logs:FilterLogEvents`), never at their text.

    Streams' own times lag behind by up to an hour, so they are not asked. Reads at most 50 pages.
    """

    name = "logs.last_event"

    def observe(self, scope: Scope, params: LastEventParams, at: datetime) -> Finding:
        group = scope.environment.services[params.service].log_group
        newest, truncated = _newest_event(
            self.clients.client("logs"),
            {
                "logGroupName": group,
                "startTime": int((at - params.silence).timestamp() * 1000),
                "endTime": int(at.timestamp() * 1000),
                **({"filterPattern": params.pattern} if params.pattern else {}),
            },
        )
        what = f"{params.pattern} in the log of {params.service}" if params.pattern else f"the log of {params.service}"
        silent = f"{what}: nothing in the last {spoken(params.silence)}" + (" so far" if truncated else "")
        status = FindingStatus.UNKNOWN if truncated else FindingStatus.SUSPECT
        return Finding(
            status=FindingStatus.OK if newest else status,
            summary=f"{what}: last written {short_time(newest)}" if newest else silent,
            facts={
                "service": params.service,
                "log_group": group,
                "last_at": stamp_to_second(newest),
                "truncated": truncated,
            },
        )


def _newest_event(logs: Any, ask: dict[str, Any]) -> tuple[datetime | None, bool]:
    """The time of the first event that is found, and whether there was more to search when the search ended."""
    token: dict[str, Any] = {"startFromHead": False}
    for _ in range(_PAGES):
        page = logs.filter_log_events(**ask, **token)
        if page["events"]:
            newest = max(event["timestamp"] for event in page["events"])
            return datetime.fromtimestamp(newest / 1000, UTC), False
        if not page.get("nextToken"):
            return None, False
        token = {"nextToken": page["nextToken"]}
    return None, True
