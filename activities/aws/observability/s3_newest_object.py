"""Tell how old the newest object of a bucket is."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import BucketName, Params, ProbeAction, iam
from activities.aws.shared.pages import Pages
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_PAGES = 50


class NewestObjectParams(Params):
    """In `prefix`, `{account}`, `{region}` and `{day}` (2026/11/23, UTC) are filled in; suspect after `silence`."""

    bucket: BucketName
    prefix: str = ""
    silence: Duration = Field(default=timedelta(hours=2), gt=timedelta(0), le=timedelta(days=1))


class NewestObject(ProbeAction[NewestObjectParams]):
    """Reads when the newest object of a bucket was written; a name tells nothing of its content.

    With `{day}` in the prefix it looks at today and yesterday alone; without it at most 50 pages are read.
    """

    name = "s3.newest_object"
    permissions = iam("s3:ListBucket")

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
        age = f"newest object {short_time(newest)}" if newest else "no object found"
        return Finding(
            status=FindingStatus.OK if fresh else status,
            summary=f"{params.bucket}: {age}" + ("" if fresh else f", none within {spoken(params.silence)}"),
            facts={"bucket": params.bucket, "newest_at": stamp_to_second(newest), "truncated": truncated},
        )


def _newest_object(s3: Any, bucket: str, prefix: str) -> tuple[datetime | None, bool]:
    pages = Pages(
        s3.list_objects_v2,
        cursor="NextContinuationToken",
        asked_as="ContinuationToken",
        most=_PAGES,
        Bucket=bucket,
        Prefix=prefix,
    )
    newest = max((one["LastModified"] for one in pages.items("Contents")), default=None)
    return newest, pages.truncated
