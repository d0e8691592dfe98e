"""The stored report: made of the ledger alone, locked beside the evidence, and written once whatever dies."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from activities.action import RuleError
from activities.ledger.store import LedgerStore
from activities.report_store import store_report
from domain.audit.storage_format import report_place
from domain.model.activity_io import AppendCall, Reported
from domain.model.timeline import Entry, Timeline, Unchained
from domain.values.status import Status
from tests.activities.ledger_worlds import (
    BUCKET,
    EVIDENCE,
    CutError,
    Cutting,
    append,
    ledger_and_vault,
    objects,
    place,
)
from tests.activities.scopes import environment
from tests.activities.world import WorldClients
from tests.builders import declaration
from tests.domain.speaking import incident_in
from tests.records import INCIDENT

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with ledger_and_vault() as clients:
        key = clients.inner.client("kms").create_key()["KeyMetadata"]["KeyId"]
        clients.inner.client("kms").create_alias(AliasName=EVIDENCE["kms_key"], TargetKeyId=key)
        yield clients


def entries() -> list[Entry]:
    return incident_in(Status.CLOSED).timeline.entries


def store(clients: object, timezone: str = "Australia/Sydney") -> Reported:
    return store_report(clients, place(), timezone, INCIDENT, NOW)  # type: ignore[arg-type]


def reports(clients: WorldClients) -> list[str]:
    return [key for key, _ in objects(clients) if key.startswith("reports/")]


def read(clients: WorldClients, ending: str) -> bytes:
    key = report_place(INCIDENT, len(entries()), ending)
    body: bytes = clients.inner.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def test_every_format_is_stored_and_locked(clients: WorldClients) -> None:
    """Each format stands under the number of the last entry, locked as evidence is, for as long as evidence is."""
    append(clients, entries())
    told = store(clients)
    assert told.seq == len(entries())
    assert sorted(told.places) == sorted(reports(clients))
    assert {place.rsplit(".")[-1] for place in told.places} == {"md", "html", "json", "pdf"}
    for key in told.places:
        found = clients.inner.client("s3").head_object(Bucket=BUCKET, Key=key)
        assert found["ObjectLockMode"] == "GOVERNANCE"
        assert (found["ObjectLockRetainUntilDate"] - NOW).days == 2557
        assert found["ServerSideEncryption"] == "aws:kms"
    assert json.loads(read(clients, "json"))["record"] == {
        "entries": len(entries()),
        "head": entries()[-1].hash,
        "first_broken": None,
    }
    assert b"14:04:00 +11:00" in read(clients, "html")
    assert read(clients, "pdf").startswith(b"%PDF-")
    assert declaration().title.encode() in read(clients, "md")


def test_a_repeat_writes_nothing_new(clients: WorldClients) -> None:
    append(clients, entries())
    first = store(clients)
    before = objects(clients)
    assert store(clients) == first
    assert objects(clients) == before


@pytest.mark.parametrize("done", [False, True], ids=["unsent", "unanswered"])
@pytest.mark.parametrize("count", range(1, 5))
def test_a_killed_store_repeated(clients: WorldClients, count: int, done: bool) -> None:
    """Killed before or after any put, a repeat leaves each format once and what stood there as it was."""
    append(clients, entries())
    with pytest.raises(CutError):
        store(Cutting(clients, "put_object", count, done=done))
    before = [one for one in objects(clients) if one[0].startswith("reports/")]
    assert len(before) == (count if done else count - 1)
    told = store(clients)
    assert sorted(told.places) == sorted(reports(clients))
    assert set(before) <= set(objects(clients))


def test_what_came_later_makes_a_report_of_its_own(clients: WorldClients) -> None:
    """After a further entry the report stands under its number, and the earlier one stays."""
    append(clients, entries())
    store(clients)
    custody = Unchained(actor="cto", kind="custody", text="handed over", data=_custody())
    LedgerStore(clients, place()).follow(INCIDENT, custody, NOW)
    assert store(clients).seq == len(entries()) + 1
    assert len(reports(clients)) == 8


def _custody() -> dict[str, str]:
    return {"evidence": "e-1", "event": "received", "reason": "for counsel"}


def test_an_unknown_zone_is_utc(clients: WorldClients) -> None:
    """A machine without the zone's data tells times in UTC, and says so with each of them."""
    append(clients, entries())
    store(clients, "Nowhere/At all")
    assert b"03:04:00 +00:00" in read(clients, "html")


def test_what_the_ledger_does_not_tell_is_refused(clients: WorldClients) -> None:
    """A ledger without the incident, without its declaration, or an environment without a vault stores nothing."""
    with pytest.raises(RuleError, match="no record"):
        store(clients)
    headless = Timeline()
    headless.append(NOW, "cto", "note", "seen", {"text": "seen"})
    append(clients, headless.entries)
    with pytest.raises(RuleError, match="does not tell"):
        store(clients)
    assert reports(clients) == []


def test_without_a_vault_it_is_refused(clients: WorldClients) -> None:
    bare = environment()
    LedgerStore(clients, bare).append(AppendCall(incident=INCIDENT, environment=bare.name, epoch=1, entries=entries()))
    with pytest.raises(RuleError, match="no evidence bucket"):
        store_report(clients, bare, "UTC", INCIDENT, NOW)


def test_an_error_of_the_store_is_told(clients: WorldClients) -> None:
    """A bucket that is not there comes through, to be retried and then told."""
    append(clients, entries(), where=environment())
    clients.inner.client("s3").delete_bucket(Bucket=BUCKET)
    with pytest.raises(Exception, match="NoSuchBucket"):
        store(clients)
