"""Whatever is changed, deleted, swapped or cut off in the store itself, the audit of the stored copy names it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.audit.storage_format import chain_key
from tests.activities.ledger_worlds import append, ledger_and_vault, verdict
from tests.activities.world import LEDGER, WorldClients
from tests.records import INCIDENT, timeline

LENGTH = 400


@pytest.fixture(scope="module")
def written() -> Iterator[WorldClients]:
    """An incident of 400 entries, written as a workflow does: many a few at a time, then whole batches."""
    with ledger_and_vault() as clients:
        done = 0
        for size in [1, 1, 3, 2, 7, 1, 26, 62, 99, 99, 99]:
            append(clients, timeline(done + size).entries[done:])
            done += size
        assert done == LENGTH
        yield clients


def key_of(number: int) -> dict[str, Any]:
    return {"pk": {"S": chain_key(INCIDENT, 1)}, "sk": {"S": f"{number:06d}"}}


@contextmanager
def tampered(clients: WorldClients, *numbers: int) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """The table's client and some of its items; what is done to them is put right again after."""
    db = clients.inner.client("dynamodb")
    items = [db.get_item(TableName=LEDGER, Key=key_of(number))["Item"] for number in numbers]
    try:
        yield db, items
    finally:
        for item in items:
            db.put_item(TableName=LEDGER, Item=item)


def test_a_written_record_is_intact(written: WorldClients) -> None:
    """What the ledger wrote over eleven appends is whole, and signed to its end."""
    found = verdict(written)
    assert (found.flaws, found.entries, found.signed) == ([], LENGTH, LENGTH)


@given(
    st.integers(1, LENGTH), st.sampled_from(["content", "hash"]), st.integers(0, 10**6), st.characters(codec="ascii")
)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_byte_changed_in_the_store_is_named(
    written: WorldClients, number: int, attribute: str, position: int, by: str
) -> None:
    """Whatever byte of whatever item is changed in the table, that entry is named."""
    with tampered(written, number) as (db, [item]):
        text = item[attribute]["S"]
        at = position % len(text)
        changed = text[:at] + (by if text[at] != by else chr(ord(by) ^ 1)) + text[at + 1 :]
        db.put_item(TableName=LEDGER, Item={**item, attribute: {"S": changed}})
        assert verdict(written).flaws[0].seq == number


@given(st.integers(1, LENGTH))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_item_deleted_from_the_store_is_named(written: WorldClients, number: int) -> None:
    """An item deleted from the table is missing by its number; the last one is cut off."""
    with tampered(written, number) as (db, _):
        db.delete_item(TableName=LEDGER, Key=key_of(number))
        flaw = verdict(written).flaws[0]
        assert (flaw.seq, flaw.kind) == (number, "cut" if number == LENGTH else "missing")


def test_items_swapped_in_the_store_are_named(written: WorldClients) -> None:
    """Two items that change places are named, the earlier one first."""
    with tampered(written, 120, 310) as (db, [one, other]):
        db.put_item(TableName=LEDGER, Item={**one, "sk": other["sk"]})
        db.put_item(TableName=LEDGER, Item={**other, "sk": one["sk"]})
        assert [(flaw.seq, flaw.kind) for flaw in verdict(written).flaws] == [(120, "reordered"), (310, "reordered")]


def test_a_tail_cut_from_the_store_is_named(written: WorldClients) -> None:
    """Without its last 37 items the record is cut at the first of them."""
    numbers = range(LENGTH - 36, LENGTH + 1)
    with tampered(written, *numbers) as (db, _):
        for number in numbers:
            db.delete_item(TableName=LEDGER, Key=key_of(number))
        assert [(flaw.seq, flaw.kind) for flaw in verdict(written).flaws] == [(LENGTH - 36, "cut")]
