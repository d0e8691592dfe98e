"""Tell whether a service still writes to its log."""

from datetime import datetime, timedelta

from pydantic import Field

from activities.action import LoggedServiceName, Params, ProbeAction, iam
from activities.aws.shared.findings import suspect_if
from activities.aws.shared.service_log import LOG_PERMISSIONS, ServiceLog
from activities.aws.shared.windows import Window
from domain.model.activity_io import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second


class LastEventParams(Params):
    """Suspect when no line, or none that contains the text `pattern`, is younger than `silence`."""

    service: LoggedServiceName
    pattern: str | None = Field(default=None, min_length=1)
    silence: Duration = Field(default=timedelta(minutes=15), gt=timedelta(0), le=timedelta(days=7))


class LastEvent(ProbeAction[LastEventParams]):
    """Looks for a service's lines within `silence` up to `at`, and for one that its declared formats read.

    Lines that no format reads are neither silence nor the lines that were asked for. Streams' own times lag behind by
    up to an hour, so they are not asked.
    """

    name = "logs.last_event"
    permissions = iam(LOG_PERMISSIONS)

    def observe(self, scope: Scope, params: LastEventParams, at: datetime) -> Finding:
        log = ServiceLog(self.clients, scope, params.service, Window.before(at, params.silence))
        counted = log.counted(params.pattern)
        written = [one for one in counted.tallies if params.pattern is None or one.hit]
        newest = max((one.last for one in written if one.format), default=None)
        doubtful = counted.truncated or counted.uncounted or written
        what = f"{params.pattern} in the log of {params.service}" if params.pattern else f"the log of {params.service}"
        silent = f"{what}: nothing in the last {spoken(params.silence)}"
        if written:
            silent = f"{what}: nothing that its declared formats read in the last {spoken(params.silence)}"
        return suspect_if(
            not newest and not doubtful,
            f"{what}: last written {short_time(newest)}" if newest else silent + counted.told(),
            {
                "service": params.service,
                "log_group": log.group,
                "last_at": stamp_to_second(newest),
                **counted.facts(),
            },
            unsure=not newest,
        )
