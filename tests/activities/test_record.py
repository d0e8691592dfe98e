"""The stored copy as AWS gives it back: what is tampered with in the store is named, what is hidden is seen."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from activities.action import RuleError
from activities.aws.shared.clients import AwsClients
from activities.ledger.reader import LedgerReader
from activities.ledger.signatures import Keys
from domain.audit.storage_format import chain_key, seal_place
from domain.audit.verdict import audit
from domain.config.environment import Environment
from domain.model.timeline import Entry
from tests.activities.ledger_worlds import (
    BUCKET,
    EVIDENCE,
    append,
    create_key,
    create_vault,
    ledger_and_vault,
    objects,
    place,
    stored,
    table,
    verdict,
)
from tests.activities.scopes import REGION, environment
from tests.activities.world import LEDGER, WorldClients, create_ledger
from tests.records import INCIDENT, timeline

LENGTH = 400


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with ledger_and_vault() as clients:
        yield clients


def key_of(number: int) -> dict[str, Any]:
    return {"pk": {"S": chain_key(INCIDENT, 1)}, "sk": {"S": f"{number:06d}"}}


def test_hidden_signed_heads_still_count(clients: WorldClients) -> None:
    """Who deletes the tail and hides its signed head under a delete marker is found out, and the hiding is told."""
    append(clients, timeline(3).entries)
    append(clients, timeline(5).entries[3:])
    clients.inner.client("s3").delete_object(Bucket=BUCKET, Key=seal_place(INCIDENT, 1, 5))
    record = LedgerReader(clients, place())
    found = record.read(INCIDENT)
    assert any("000005.json is hidden" in remark for remark in found.remarks)
    assert verdict(clients).intact
    for number in (4, 5):
        clients.inner.client("dynamodb").delete_item(TableName=LEDGER, Key=key_of(number))
    assert verdict(clients).flaws[0].seq == 4
    for number in (1, 2, 3):
        clients.inner.client("dynamodb").delete_item(TableName=LEDGER, Key=key_of(number))
    assert (verdict(clients).flaws[0].seq, verdict(clients).flaws[0].kind) == (1, "cut")


def test_a_signed_head_put_over_another_is_seen(clients: WorldClients) -> None:
    """A newer version over a signed head takes nothing away, is named itself, and stands there without a lock."""
    append(clients, timeline(3).entries)
    clients.inner.client("s3").put_object(Bucket=BUCKET, Key=seal_place(INCIDENT, 1, 3), Body=b"{}")
    found = verdict(clients)
    assert [(flaw.kind, flaw.seq) for flaw in found.flaws] == [("signature", 3)]
    assert found.signed == 3
    assert any("not locked" in remark for remark in LedgerReader(clients, place()).read(INCIDENT).remarks)


def test_the_signed_head_of_a_moment_ago_is_waited_for(clients: WorldClients) -> None:
    """Read between the entries and their signature, a record is looked at again until it is signed."""
    append(clients, timeline(3).entries)
    append(clients, timeline(4).entries[3:], where=environment())
    record = LedgerReader(clients, place())
    keys = Keys(record.pems())
    unsigned = audit(record.read(INCIDENT, patience_seconds=0).copy, keys.vouches)
    assert [(flaw.kind, flaw.seq) for flaw in unsigned.flaws] == [("unsigned", 4)]
    seals, looks = record._seals, []

    def late(incident: str) -> Any:
        looks.append(incident)
        if len(looks) == 3:
            append(clients, timeline(6).entries[3:])
        return seals(incident)

    record._seals = late  # type: ignore[method-assign]
    signed = record.read(INCIDENT).copy
    assert len(looks) >= 3
    assert len(signed.items[1]) == 4
    assert audit(signed, keys.vouches).flaws[0].kind == "unsigned"
    assert audit(record.read(INCIDENT).copy, keys.vouches).flaws == []


def test_an_earlier_key_still_counts(clients: WorldClients) -> None:
    """After the alias moved to a new key, heads of the old one are good while the environment names it."""
    append(clients, timeline(3).entries)
    old = next(iter(LedgerReader(clients, place()).pems()))
    create_key(clients.inner, "alias/new")
    after = place().model_copy(update={"evidence": _evidence(signing_key="alias/new")})
    append(clients, timeline(5).entries[3:], where=after)
    with_old = after.model_copy(update={"evidence": _evidence(signing_key="alias/new", earlier_signing_keys=(old,))})
    for where, intact in ((after, False), (with_old, True)):
        record = LedgerReader(clients, where)
        assert audit(record.read(INCIDENT).copy, Keys(record.pems()).vouches).intact is intact


def test_what_is_not_there_is_refused(clients: WorldClients) -> None:
    """An incident that nobody recorded is refused by its id; one whose id another begins with is not mixed in."""
    append(clients, timeline(3).entries)
    for incident in ("inc-20261123-7f3", INCIDENT + "x"):
        with pytest.raises(RuleError, match=incident):
            LedgerReader(clients, place()).read(incident)
        with pytest.raises(RuleError, match=incident):
            LedgerReader(clients, place()).read_chain(incident)
    assert len(LedgerReader(clients, place()).read_chain(INCIDENT).items[1]) == 3


def test_a_stray_item_is_remarked(clients: WorldClients) -> None:
    """An item beside the epochs' marks that is none of ours is told."""
    append(clients, timeline(3).entries)
    item: Any = {"pk": {"S": f"chain#{INCIDENT}"}, "sk": {"S": "epoch#x"}}
    clients.inner.client("dynamodb").put_item(TableName=LEDGER, Item=item)
    assert LedgerReader(clients, place()).read(INCIDENT).remarks == ["an item 'epoch#x' in the ledger is none of ours"]


_ROOT = Path(__file__).parents[2]
_ATTEMPTS = 50
_WRITER = "import sys; from tests.activities.test_record import write; write(int(sys.argv[1]))"


def write(size: int) -> None:
    """Write the 400 entries in batches of one size, as a process of its own does.

    Moto's server fails now and then when it is asked by two at once; a batch is then written again, as Temporal does.
    """
    clients, entries = AwsClients(boto3.Session(), REGION), timeline(LENGTH).entries
    for start in range(0, LENGTH, size):
        for attempt in range(_ATTEMPTS):
            try:
                append(clients, entries[start : start + size])
                break
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500 or attempt == _ATTEMPTS - 1:
                    raise


def test_two_processes_that_write_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers that write the same entries at once, in batches of their own, leave each once and none missing."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        requests.post(f"{url}/moto-api/reset", timeout=10).raise_for_status()
        for name, value in {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }.items():
            monkeypatch.setenv(name, value)
        clients = WorldClients()
        create_ledger(clients)
        create_vault(clients.inner)
        writers = [subprocess.Popen([sys.executable, "-c", _WRITER, size], cwd=_ROOT) for size in ("23", "31")]
        assert [writer.wait(120) for writer in writers] == [0, 0]
        found = verdict(clients)
        assert (found.flaws, found.entries, found.signed) == ([], LENGTH, LENGTH)
        assert len(table(clients)) == LENGTH
        assert len(objects(clients)) == len({key for key, _ in objects(clients)})
        assert stored(clients).marks == {}
    finally:
        server.stop()


def _evidence(**changes: Any) -> Any:
    found = Environment.model_validate(environment(evidence={**EVIDENCE, **changes}).model_dump()).evidence
    assert found is not None
    return found


def test_entries_read_back_are_those_written(clients: WorldClients) -> None:
    """What comes back is what was written, character by character, whatever was in it."""
    entries = timeline(9).entries
    append(clients, entries)
    assert [Entry.model_validate_json(item.content) for item in stored(clients).items[1]] == entries
