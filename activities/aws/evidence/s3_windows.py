"""Which stretch of time is still to be preserved, by the manifests that stand in the vault already."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from activities.aws.evidence.s3_manifests import MANIFEST, head_of, standing
from activities.aws.shared.s3_objects import head

_UPLOAD = timedelta(days=1)
"""How long an upload in parts may take and still be found by the next request: S3 dates the object by its beginning
(S3 user guide, "Working with object metadata", Last-Modified)."""


def next_window(s3: Any, vault: str, folder: str, since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """From a day before manifests without gaps end to `until`; the last one's own window where nothing came behind."""
    last = (since, since)
    for begin, end in sorted(_complete(s3, vault, folder)):
        if begin <= last[1] <= end:
            last = (begin, end)
    if last[1] == since:
        return since, until
    return last if until <= last[1] else (max(since, last[1] - _UPLOAD), until)


def unused(s3: Any, vault: str, records: str) -> str:
    """Where the records of a window go: beside those of an earlier manifest that names gaps."""
    for number in count(1):
        place = records if number == 1 else f"{records.rstrip('/')}-{number}/"
        found = head(s3, vault, f"{place}{MANIFEST}")
        if found is None or not head_of(s3, vault, f"{place}{MANIFEST}").get("gaps"):
            break
    return place


def _complete(s3: Any, vault: str, folder: str) -> list[tuple[datetime, datetime]]:
    """The windows of the manifests in a folder that name no gaps."""
    heads = (head_of(s3, vault, key) for key in standing(s3, vault, folder))
    return [
        (datetime.fromisoformat(told["since"]), datetime.fromisoformat(told["until"]))
        for told in heads
        if told.get("collector") and not told.get("gaps")
    ]
