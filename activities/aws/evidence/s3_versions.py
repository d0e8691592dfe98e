"""The versions that a bucket holds of a window in time, tombstones included."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import chain
from typing import Any

_PAGES = 100
"""How many pages of a thousand versions a survey looks at, which takes about a quarter of a minute."""


@dataclass(frozen=True)
class Version:
    """One version of an object, or a delete marker, which has no content. `modified` is RFC 3339, UTC."""

    key: str
    version: str
    modified: str
    size: int
    deleted: bool = False

    @classmethod
    def of(cls, found: dict[str, Any], *, deleted: bool) -> "Version":
        modified = found["LastModified"].astimezone(UTC).isoformat(timespec="milliseconds")
        return cls(found["Key"], found["VersionId"], modified, int(found.get("Size", 0)), deleted)

    @classmethod
    def parse(cls, line: bytes) -> "Version":
        return cls(**json.loads(line))

    def line(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


@dataclass(frozen=True)
class Survey:
    """What a bucket held since an instant. Of a huge one only the first part was looked at: it is not `complete`.

    `until` is the instant up to which it speaks: the newest version's, or that of asking where there may be newer.
    """

    versions: int
    size: int
    deleted: int
    days: dict[str, int]
    until: datetime
    complete: bool


def versions(s3: Any, bucket: str, since: datetime, until: datetime) -> Iterator[Version]:
    """Give every version last modified from `since` to `until`, both included, page by page in the order of keys.

    The whole bucket is gone through, a thousand versions a request: the date in a key does not say when that key
    was last written (`s3:ListBucketVersions`).
    """
    for page in _pages(s3, bucket):
        yield from (Version.of(one, deleted=gone) for one, gone in _of(page, since) if one["LastModified"] <= until)


def survey(s3: Any, bucket: str, since: datetime) -> Survey:
    """Count the versions since an instant; the same bucket gives the same answer (`s3:ListBucketVersions`)."""
    count, size, deleted, complete = 0, 0, 0, False
    days: Counter[str] = Counter()
    until = asked = since
    for number, page in enumerate(_pages(s3, bucket), start=1):
        asked = parsedate_to_datetime(page["ResponseMetadata"]["HTTPHeaders"]["date"])
        for one, gone in _of(page, since):
            count, deleted, size = count + (not gone), deleted + gone, size + int(one.get("Size", 0))
            days[f"{one['LastModified'].astimezone(UTC):%Y-%m-%d}"] += 1
            until = max(until, one["LastModified"])
        complete = not page["IsTruncated"]
        if number == _PAGES:
            break
    return Survey(count, size, deleted, dict(sorted(days.items())), until if complete else asked, complete)


def _pages(s3: Any, bucket: str) -> Iterator[dict[str, Any]]:
    pages: Iterator[dict[str, Any]] = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    return pages


def _of(page: dict[str, Any], since: datetime) -> Iterator[tuple[dict[str, Any], bool]]:
    """The versions and delete markers of a page, and which of both each is."""
    both = chain(
        ((one, False) for one in page.get("Versions", [])), ((one, True) for one in page.get("DeleteMarkers", []))
    )
    return (found for found in both if found[0]["LastModified"] >= since)
