"""Tell whether a service still writes to its log."""

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


class LastEventParams(Params):
    """Suspect when nothing that matches `pattern`, a CloudWatch Logs filter pattern, is younger than `silence`."""

    service: ServiceName
    pattern: str = ""
    silence: Duration = Field(default=timedelta(minutes=15), gt=timedelta(0))


class LastEvent(ProbeAction[LastEventParams]):
    """Looks for a service's log events within `silence` up to `at`, never at their text.

    Streams' own times lag behind by up to an hour, so they are not asked. Reads at most 50 pages.
    """

    name = "logs.last_event"
    permissions = iam("logs:FilterLogEvents")

    def observe(self, scope: Scope, params: LastEventParams, at: datetime) -> Finding:
        group = scope.environment.services[params.service].log_group
        found = events(self.clients.client("logs"), group, params.pattern, Window.before(at, params.silence))
        # the first page that has any has the newest: what comes later is older
        written: list[dict[str, Any]] = next((page["events"] for page in found if page["events"]), [])
        newest = max((datetime.fromtimestamp(one["timestamp"] / 1000, UTC) for one in written), default=None)
        truncated = found.truncated and not newest
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
