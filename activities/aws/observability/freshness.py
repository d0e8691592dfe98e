"""Tell how old the newest entry is where something should be written all the time: a log group, a bucket."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import BucketName, Params, Probe, ServiceName
from activities.aws.shared.finding_times import clock, optional
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.durations import Duration, spoken

_PAGES = 50


class LastEventParams(Params):
    """Suspect when nothing that matches `pattern`, a CloudWatch Logs filter pattern, is younger than `silence`."""

    service: ServiceName
    pattern: str = ""
    silence: Duration = Field(default=timedelta(minutes=15), gt=timedelta(0))


class LastEvent(Probe[LastEventParams]):
    """Looks for a service's log events within `silence` up to `at` (`logs:FilterLogEvents`), never at their text.

    Streams' own times lag behind by up to an hour, so they are not asked. Reads at most 50 pages.
    """

    name = "logs.last_event"
    params = LastEventParams

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
            summary=f"{what}: last written {clock(newest)}" if newest else silent,
            facts={"service": params.service, "log_group": group, "last_at": optional(newest), "truncated": truncated},
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


class NewestObjectParams(Params):
    """In `prefix`, `{account}`, `{region}` and `{day}` (2026/11/23, UTC) are filled in; suspect after `silence`."""

    bucket: BucketName
    prefix: str = ""
    silence: Duration = Field(default=timedelta(hours=2), gt=timedelta(0), le=timedelta(days=1))


class NewestObject(Probe[NewestObjectParams]):
    """Reads when the newest object of a bucket was written (`s3:ListObjectsV2`); a name tells nothing of its content.

    With `{day}` in the prefix it looks at today and yesterday alone; without it at most 50 pages are read.
    """

    name = "s3.newest_object"
    params = NewestObjectParams

    def observe(self, scope: Scope, params: NewestObjectParams, at: datetime) -> Finding:
        where = scope.environment
        days = (at, at - timedelta(days=1)) if "{day}" in params.prefix else (at,)
        newest: datetime | None = None
        truncated = False
        for day in days:
            prefix = params.prefix
            for name, value in (("account", where.account), ("region", where.region), ("day", f"{day:%Y/%m/%d}")):
                prefix = prefix.replace(f"{{{name}}}", value)
            found, more = _newest_object(self.clients.client("s3"), where.buckets[params.bucket], prefix)
            newest = max(filter(None, (newest, found)), default=None)
            truncated = truncated or more
        fresh = newest is not None and newest >= at - params.silence
        status = FindingStatus.UNKNOWN if truncated else FindingStatus.SUSPECT
        told = f"newest object {clock(newest)}" if newest else "no object found"
        return Finding(
            status=FindingStatus.OK if fresh else status,
            summary=f"{params.bucket}: {told}" + ("" if fresh else f", none within {spoken(params.silence)}"),
            facts={"bucket": params.bucket, "newest_at": optional(newest), "truncated": truncated},
        )


def _newest_object(s3: Any, bucket: str, prefix: str) -> tuple[datetime | None, bool]:
    newest: datetime | None = None
    token: dict[str, str] = {}
    for _ in range(_PAGES):
        page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, **token)
        written = [one["LastModified"] for one in page.get("Contents", [])]
        newest = max(filter(None, (newest, *written)), default=None)
        if not page.get("NextContinuationToken"):
            return newest, False
        token = {"ContinuationToken": page["NextContinuationToken"]}
    return newest, True
