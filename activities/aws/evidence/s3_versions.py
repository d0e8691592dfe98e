"""The versions that a bucket holds of a window in time, tombstones included."""

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import takewhile
from typing import Any

_PAGES = 100
"""How many pages of a thousand versions a survey looks at, which takes about a quarter of a minute."""
_FOLDERS = 200
_YEAR = re.compile(r"20[0-9]{2}/")
_ARCHIVED = {"GLACIER", "DEEP_ARCHIVE"}


@dataclass(frozen=True)
class Version:
    """One version of an object, or a delete marker, which has no content. `modified` is RFC 3339, UTC."""

    key: str
    version: str
    modified: str
    size: int
    deleted: bool = False


@dataclass(frozen=True)
class Survey:
    """What a bucket held since an instant. Of a huge one only the first part was looked at: it is not `complete`.

    `until` is the instant up to which it speaks: the newest version's, or that of asking where there may be newer.
    """

    versions: int
    size: int
    deleted: int
    archived: int
    days: dict[str, int]
    until: datetime
    complete: bool


def stretches(folders: Sequence[str], since: datetime, until: datetime) -> list[str]:
    """In which order a bucket is gone through, by prefix: the newest day of each dated folder first, all else last."""
    first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    days = takewhile(lambda day: day >= first, (last - timedelta(days=back) for back in range((last - first).days + 1)))
    return [*(f"{folder}{day:%Y/%m/%d}/" for day in days for folder in folders), ""]


def dated_folders(s3: Any, bucket: str) -> list[str]:
    """The folders that have one for each year in them, as those of AWS's own logs do (`s3:ListBucketVersions`).

    At most 200 folders are looked into, those of AWS first.
    """
    found, waiting = [], deque([""])
    for _ in range(_FOLDERS):
        if not waiting:
            break
        folder = waiting.popleft()
        page = s3.list_object_versions(Bucket=bucket, Prefix=folder, Delimiter="/")
        below = [one["Prefix"] for one in page.get("CommonPrefixes", [])]
        if any(_YEAR.fullmatch(one.removeprefix(folder)) for one in below):
            found.append(folder)
        elif folder.startswith("AWSLogs/"):
            waiting.extendleft(reversed(below))
        else:
            waiting.extend(sorted(below, key=lambda one: one != "AWSLogs/"))
    return found


def versions(
    s3: Any, bucket: str, window: tuple[datetime, datetime], order: Sequence[str], after: str | None = None
) -> Iterator[Version]:
    """Give every version last modified in the window, both ends included, stretch by stretch in the order of keys.

    With `after`, a key, those that come behind all versions of it. The whole bucket is gone through in the end, a
    thousand versions a request: the date in a key does not say when that key was last written
    (`s3:ListBucketVersions`).
    """
    begun = -1 if after is None else _stretch(after, order)
    for number, prefix in enumerate(order):
        if number < begun:
            continue
        marker = {"KeyMarker": after} if number == begun else {}
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix, **marker):
            for found, deleted in _of(page, window[0]):
                if found["LastModified"] <= window[1] and _stretch(found["Key"], order) == number:
                    modified = found["LastModified"].astimezone(UTC).isoformat(timespec="milliseconds")
                    yield Version(found["Key"], found["VersionId"], modified, int(found.get("Size", 0)), deleted)


def survey(s3: Any, bucket: str, since: datetime) -> Survey:
    """Count the versions since an instant; the same bucket gives the same answer (`s3:ListBucketVersions`)."""
    count, size, deleted, archived, complete = 0, 0, 0, 0, False
    days: Counter[str] = Counter()
    until = asked = since
    for number, page in enumerate(s3.get_paginator("list_object_versions").paginate(Bucket=bucket), start=1):
        asked = parsedate_to_datetime(page["ResponseMetadata"]["HTTPHeaders"]["date"])
        for one, gone in _of(page, since):
            count, deleted, size = count + (not gone), deleted + gone, size + int(one.get("Size", 0))
            archived += one.get("StorageClass") in _ARCHIVED
            days[f"{one['LastModified'].astimezone(UTC):%Y-%m-%d}"] += 1
            until = max(until, one["LastModified"])
        complete = not page["IsTruncated"]
        if number == _PAGES:
            break
    return Survey(count, size, deleted, archived, dict(sorted(days.items())), until if complete else asked, complete)


def _stretch(key: str, order: Sequence[str]) -> int:
    return next(number for number, prefix in enumerate(order) if key.startswith(prefix))


def _of(page: dict[str, Any], since: datetime) -> Iterator[tuple[dict[str, Any], bool]]:
    """The versions and delete markers of a page, and which of both each is, all of one key together."""
    both = [
        *((one, False) for one in page.get("Versions", [])),
        *((one, True) for one in page.get("DeleteMarkers", [])),
    ]
    both.sort(key=lambda found: str(found[0]["Key"]).encode())
    return (found for found in both if found[0]["LastModified"] >= since)
