"""Tell how many errors a service logged, never what they say, and whether it still writes to its log."""

from datetime import datetime, timedelta

from pydantic import Field

from activities.action import LoggedServiceName, Params, ProbeAction, iam
from activities.aws.shared.findings import plural, suspect_if
from activities.aws.shared.service_log import LOG_PERMISSIONS, Counted, ServiceLog, Tally
from activities.aws.shared.windows import Window
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second


class LogErrorsParams(Params):
    """Lines that are errors by their declared level; with `pattern`, those that contain this text, with its case.

    Fewer than `threshold` of them are no suspect.
    """

    service: LoggedServiceName
    window: Duration = Field(default=timedelta(hours=1), gt=timedelta(0), le=timedelta(days=7))
    pattern: str | None = Field(default=None, min_length=1)
    threshold: int = Field(default=1, ge=1)


class LogErrors(ProbeAction[LogErrorsParams]):
    """Counts a service's logged errors over `window` up to `at`, by the formats that the environment declares.

    Log lines may hold personal information: only counts, times and where to look leave this probe. `follow` is
    the command by which a responder follows the log as it grows, with rights of their own. A log with a line that no
    format reads is not called well.
    """

    name = "logs.errors"
    permissions = iam(LOG_PERMISSIONS)

    def observe(self, scope: Scope, params: LogErrorsParams, at: datetime) -> Finding:
        window = Window.before(at, params.window)
        log = ServiceLog(self.clients, scope, params.service, window)
        counted = log.counted(params.pattern)
        found = [one for one in counted.tallies if (one.hit if params.pattern else one.error)]
        return suspect_if(
            sum(one.lines for one in found) >= params.threshold,
            _summary(params, counted, found),
            {
                "service": params.service,
                "count": sum(one.lines for one in found),
                "streams": len({one.stream for one in found}),
                "first_at": stamp_to_second(min((one.first for one in found), default=None)),
                "last_at": stamp_to_second(max((one.last for one in found), default=None)),
                **counted.facts(),
                "log_group": log.group,
                "pattern": params.pattern,
                "follow": f"aws logs tail {log.group} --follow --region {scope.environment.region}",
                **window.facts(),
            },
            window.of(log.group),
            unsure=counted.blind,
        )


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


def _summary(params: LogErrorsParams, counted: Counted, found: list[Tally]) -> str:
    window, count = f"the last {spoken(params.window)}", sum(one.lines for one in found)
    of = f" with {params.pattern}" if params.pattern else ""
    noun = "line" if params.pattern else "error"
    if not found:
        return f"{params.service}: no {noun}s{of} in the logs of {window}{counted.told()}"
    first, last = min(one.first for one in found), max(one.last for one in found)
    least = "at least " if counted.truncated else ""
    return (
        f"{params.service}: {least}{plural(count, noun)}{of} in the logs of {window}, "
        f"between {short_time(first)} and {short_time(last)}{counted.told()}"
    )
