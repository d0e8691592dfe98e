"""Which stretch of time is still to be preserved, by the manifests that stand in the vault already."""

import json
from contextlib import closing
from datetime import datetime
from itertools import count
from typing import Any

from activities.aws.evidence.evidence_bucket import FOR_GOOD
from activities.aws.evidence.s3_preservation import MANIFEST
from activities.aws.shared.s3_objects import head, lock_of


def next_window(s3: Any, vault: str, folder: str, since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """From where manifests without gaps end to `until`; the last one's own window where nothing came behind it."""
    last = (since, since)
    for begin, end in sorted(_complete(s3, vault, folder)):
        if begin <= last[1] <= end:
            last = (begin, end)
    if last[1] == since:
        return since, until
    return last if until <= last[1] else (last[1], until)


def unused(s3: Any, vault: str, records: str) -> str:
    """Where the records of a window go: beside those of an earlier manifest that names gaps."""
    for number in count(1):
        place = records if number == 1 else f"{records.rstrip('/')}-{number}/"
        found = head(s3, vault, f"{place}{MANIFEST}")
        if found is None or not _about(s3, vault, f"{place}{MANIFEST}").get("gaps"):
            break
    return place


def _complete(s3: Any, vault: str, folder: str) -> list[tuple[datetime, datetime]]:
    """The windows of the manifests in a folder that name no gaps, and are locked as ours are or do not show it."""
    found = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=vault, Prefix=folder):
        for key in (one["Key"] for one in page.get("Contents", []) if one["Key"].endswith(f"/{MANIFEST}")):
            lock, told = lock_of(s3, vault, key, head(s3, vault, key) or {}), _about(s3, vault, key)
            if (lock.mode == FOR_GOOD or lock.hidden) and told.get("collector") and not told.get("gaps"):
                found.append((datetime.fromisoformat(told["since"]), datetime.fromisoformat(told["until"])))
    return found


def _about(s3: Any, vault: str, manifest: str) -> dict[str, Any]:
    """The head of a manifest: its first line (`s3:GetObject`)."""
    with closing(s3.get_object(Bucket=vault, Key=manifest)["Body"]) as body:
        return dict(json.loads(next(body.iter_lines())))
