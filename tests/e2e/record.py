"""The stored record of an incident, as it stands in the account, against the timeline that Temporal tells."""

import json

from tests.e2e.chain import assert_whole
from tests.e2e.house import Document, House
from tests.waiting import until

TABLE = "axis-imaging-incident-ledger"
BUCKET = "axis-imaging-evidence-production"


def assert_recorded_once(house: House, incident: str) -> list[Document]:
    """Wait until all is written; fail unless store and timeline hold the same entries, in one epoch, signed once.

    Returns the entries.
    """
    house.until(incident, "its whole timeline is written", _is_written, seconds=60)
    entries = until(lambda: _same(house, incident), "the store and the timeline hold the same", seconds=60)
    assert_whole(entries)
    assert _items(house, f"chain#{incident}") == []
    versions = house.aws("s3").list_object_versions(Bucket=BUCKET, Prefix=f"ledger/{incident}/")
    places = [one["Key"] for one in versions["Versions"]]
    assert len(places) == len(set(places))
    assert "DeleteMarkers" not in versions
    verdict = house.json("audit", "verify", incident)
    assert verdict["intact"]
    assert verdict["entries"] == verdict["signed"] >= len(entries)  # the incident goes on meanwhile
    return entries


def _same(house: House, incident: str) -> list[Document] | None:
    """The entries when nothing was written between two looks; None to look again."""
    entries = house.timeline(incident)
    return entries if stored(house, incident) == entries else None


def _is_written(state: Document) -> bool:
    told: Document = state["timeline"]
    return bool(told["written"] == told["length"])


def stored(house: House, incident: str) -> list[Document]:
    """The entries of an incident's first epoch, as they stand in DynamoDB."""
    return [json.loads(item["content"]["S"]) for item in _items(house, f"chain#{incident}#0001")]


def _items(house: House, key: str) -> list[Document]:
    pages = (
        house.aws("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=TABLE,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": key}},
        )
    )
    return [item for page in pages for item in page["Items"]]
