"""The manifests that stand in the vault already: which of them count, and what is in them."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from activities.aws.evidence.evidence_bucket import FOR_GOOD
from activities.aws.shared.s3_objects import head, lock_of

MANIFEST = "manifest.jsonl"


def standing(s3: Any, vault: str, folder: str) -> Iterator[str]:
    """The keys of the manifests in a folder that are locked as ours are, or do not show it (`s3:ListBucket`)."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=vault, Prefix=folder):
        for key in (one["Key"] for one in page.get("Contents", []) if one["Key"].endswith(f"/{MANIFEST}")):
            lock = lock_of(s3, vault, key, head(s3, vault, key) or {})
            if lock.mode == FOR_GOOD or lock.hidden:
                yield key


def head_of(s3: Any, vault: str, manifest: str) -> dict[str, Any]:
    """The head of a manifest: its first line (`s3:GetObject`)."""
    return next(_read(s3, vault, manifest))


def lines_of(s3: Any, vault: str, folder: str) -> Iterator[dict[str, Any]]:
    """What the manifests in a folder say of each version (`s3:GetObject`)."""
    for manifest in standing(s3, vault, folder):
        yield from (line for line in _read(s3, vault, manifest) if "source" in line)


def _read(s3: Any, vault: str, manifest: str) -> Iterator[dict[str, Any]]:
    with closing(s3.get_object(Bucket=vault, Key=manifest)["Body"]) as body:
        yield from (json.loads(line) for line in body.iter_lines())
