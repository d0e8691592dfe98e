"""Every place where an incident leaves something behind, as bytes, but for the evidence itself."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from tests.e2e.house import House
from tests.e2e.record import BUCKET, TABLE

_READABLE = {b"json/plain", b"binary/null", b"json/protobuf", b"binary/protobuf"}
_AT_ONCE = 4


def left_behind(house: House, incidents: Sequence[str]) -> dict[str, bytes]:
    """What stands in the histories, the record, the logs, the outbox, in public and in reports, by place."""
    return {
        **house.asking.run(_workflows(house.asking.client)),
        "ledger table": _table(house),
        **dict(_records(house)),
        **dict(_files(house)),
        "status page": _page(house),
        **_reports(house, incidents),
    }


async def _workflows(client: Client) -> dict[str, bytes]:
    """Of every workflow: each event of its history, and what is shown of it: memo, attributes, what is pending."""
    found: dict[str, bytes] = {}
    async for one in client.list_workflows():
        handle = client.get_workflow_handle(one.id, run_id=one.run_id)
        history = await handle.fetch_history()
        for event in history.events:
            _assert_readable(event)
        found[f"history of {one.id}"] = b"\n".join(event.SerializeToString() for event in history.events)
        shown = await handle.describe()
        found[f"description of {one.id}"] = shown.raw_description.SerializeToString()
    return found


def _assert_readable(message: Any) -> None:
    """Fail where a payload is encoded in a way that a search for text would pass over."""
    if isinstance(message, Payload):
        assert message.metadata["encoding"] in _READABLE, message.metadata
        return
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        is_map = field.message_type.GetOptions().map_entry
        several = value.values() if is_map else value if field.is_repeated else [value]
        for inner in several:
            if hasattr(inner, "ListFields"):
                _assert_readable(inner)


def _table(house: House) -> bytes:
    pages = house.aws("dynamodb").get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
    return json.dumps([item for page in pages for item in page["Items"]]).encode()


def _records(house: House) -> Iterator[tuple[str, bytes]]:
    """Manifests, orders, inventories and signed heads: all of the evidence bucket but the copies."""
    s3 = house.aws("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for one in page["Contents"]:
            if not one["Key"].startswith("evidence/"):
                yield f"record {one['Key']}", s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()


def evidence(house: House) -> bytes:
    """The copies that were preserved."""
    s3 = house.aws("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="evidence/")
    keys = [one["Key"] for page in pages for one in page.get("Contents", []) if "portal/access" in one["Key"]]
    return b"\n".join(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys)


def _files(house: House) -> Iterator[tuple[str, bytes]]:
    """The sandbox's own files: logs of its parts and of workers, and the outbox."""
    folder = Path(house.data_dir)
    said = list(folder.glob("worker-*/*/0.err"))
    assert said, "no worker has logged anything"
    for file in (*folder.glob("*.log"), *folder.glob("logs/*"), *said, folder / "outbox.jsonl"):
        yield f"file {file.relative_to(folder)}", file.read_bytes()


def _page(house: House) -> bytes:
    url = house.variables["STATUSPAGE_URL"]
    return requests.get(url, timeout=10).content


def _reports(house: House, incidents: Sequence[str]) -> dict[str, bytes]:
    """The report of each incident, and of the first one as people read it."""
    first, *_ = incidents
    asked = [(how, first) for how in ("markdown", "html")] + [("json", one) for one in incidents]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        told = pool.map(lambda one: house.run("report", one[1], "--format", one[0]), asked)
        whole = (text.replace("<wbr>", "").encode() for text in told)  # where a long word may break is no part of it
        return {f"{how} report of {one}": text for (how, one), text in zip(asked, whole, strict=True)}
