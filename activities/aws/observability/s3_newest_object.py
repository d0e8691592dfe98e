"""Tell how old the newest object of a bucket is."""

from datetime import datetime, timedelta

from pydantic import Field

from activities.action import BucketName, Params, ProbeAction, iam
from activities.aws.shared.findings import suspect_if
from activities.aws.shared.pages import Pages
from domain.model.calls import Scope
from domain.model.finding import Finding
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
        prefix = params.prefix.replace("{account}", where.account).replace("{region}", where.region)
        listed = [
            Pages(
                self.clients.client("s3").list_objects_v2,
                cursor="NextContinuationToken",
                asked_as="ContinuationToken",
                most=_PAGES,
                Bucket=where.buckets[params.bucket],
                Prefix=prefix.replace("{day}", f"{day:%Y/%m/%d}"),
            )
            for day in days
        ]
        newest = max((one["LastModified"] for pages in listed for one in pages.items("Contents")), default=None)
        truncated = any(pages.truncated for pages in listed)
        fresh = newest is not None and newest >= at - params.silence
        age = f"newest object {short_time(newest)}" if newest else "no object found"
        summary = f"{params.bucket}: {age}" + ("" if fresh else f", none within {spoken(params.silence)}")
        facts = {"bucket": params.bucket, "newest_at": stamp_to_second(newest), "truncated": truncated}
        return suspect_if(not fresh and not truncated, summary, facts, unsure=not fresh)
