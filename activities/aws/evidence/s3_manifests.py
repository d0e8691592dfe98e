"""The manifests that stand in the vault already: which of them count, what is in them, what they leave to do."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from activities.aws.evidence.evidence_bucket import FOR_GOOD
from activities.aws.shared.s3_objects import head, lock_of

MANIFEST = "manifest.jsonl"
_UPLOAD = timedelta(days=1)
"""How long an upload in parts may take and still be found by the next request: S3 dates the object by its beginning
(S3 user guide, "Working with object metadata", Last-Modified)."""


def lines_of(s3: Any, vault: str, folder: str) -> Iterator[dict[str, Any]]:
    """What the manifests in a folder say of each version (`s3:GetObject`)."""
    for manifest in _standing(s3, vault, folder):
        yield from (line for line in _read(s3, vault, manifest) if "source" in line)


def next_window(s3: Any, vault: str, folder: str, since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """From a day before manifests without gaps end to `until`; the last one's own window where nothing came behind."""
    heads = (_head(s3, vault, key) for key in _standing(s3, vault, folder))
    complete = [
        (datetime.fromisoformat(told["since"]), datetime.fromisoformat(told["until"]))
        for told in heads
        if told.get("collector") and not told.get("gaps")
    ]
    last = (since, since)
    for begin, end in sorted(complete):
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
        if found is None or not _head(s3, vault, f"{place}{MANIFEST}").get("gaps"):
            break
    return place


def _standing(s3: Any, vault: str, folder: str) -> Iterator[str]:
    """The keys of the manifests in a folder that are locked as ours are, or do not show it (`s3:ListBucket`)."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=vault, Prefix=folder):
        for key in (one["Key"] for one in page.get("Contents", []) if one["Key"].endswith(f"/{MANIFEST}")):
            lock = lock_of(s3, vault, key, head(s3, vault, key) or {})
            if lock.mode == FOR_GOOD or lock.hidden:
                yield key


def _head(s3: Any, vault: str, manifest: str) -> dict[str, Any]:
    """The head of a manifest: its first line (`s3:GetObject`)."""
    return next(_read(s3, vault, manifest))


def _read(s3: Any, vault: str, manifest: str) -> Iterator[dict[str, Any]]:
    with closing(s3.get_object(Bucket=vault, Key=manifest)["Body"]) as body:
        yield from (json.loads(line) for line in body.iter_lines())
