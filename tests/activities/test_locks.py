from datetime import timedelta

import pytest

from activities.changes.locks import Locks, ResourceBusyError
from activities.ledger.table import Table
from domain.values.ids import lock_id
from tests.activities.store_clock import StoreClock
from tests.activities.world import LEDGER, WorldClients

A, B, C = (f"arn:aws:ecs:ap-southeast-2:123456789012:service/axis/{name}" for name in "abc")
LEASE = timedelta(minutes=5)


@pytest.fixture
def clock(clients: WorldClients, monkeypatch: pytest.MonkeyPatch) -> StoreClock:
    return StoreClock(monkeypatch, Table(clients, LEDGER))


@pytest.fixture
def locks(clients: WorldClients) -> Locks:
    return Locks(Table(clients, LEDGER))


def test_a_lock_keeps_others_out_until_it_is_given_back(locks: Locks) -> None:
    """Two holders never have one resource; who is refused learns which one and who has it."""
    locks.acquire((A, B), "one", LEASE)
    with pytest.raises(ResourceBusyError) as busy:
        locks.acquire((B, C), "two", LEASE)
    assert (busy.value.arn, busy.value.holder) == (B, "one")
    locks.release((A, B), "one")
    locks.release((A, B), "one")
    locks.acquire((B, C), "two", LEASE)


def test_who_is_refused_keeps_nothing(locks: Locks, clients: WorldClients) -> None:
    """Locks are taken all or none, so that two changes never wait for each other."""
    locks.acquire((C,), "one", LEASE)
    with pytest.raises(ResourceBusyError):
        locks.acquire((A, B, C), "two", LEASE)
    assert [item["pk"]["S"] for item in clients.inner.client("dynamodb").scan(TableName=LEDGER)["Items"]] == [
        lock_id(C)
    ]


def test_locks_are_taken_in_sorted_order(locks: Locks, clients: WorldClients) -> None:
    """The order of the plan does not matter: with A held, C is never touched."""
    locks.acquire((A,), "one", LEASE)
    clients.calls.clear()
    with pytest.raises(ResourceBusyError):
        locks.acquire((C, A), "two", LEASE)
    assert clients.calls == ["dynamodb.put_item"]


def test_a_lock_runs_out_with_its_lease(locks: Locks, clock: StoreClock) -> None:
    """A holder that died blocks others for one lease, and not a second less."""
    locks.acquire((A,), "one", LEASE)
    clock.move(LEASE - timedelta(seconds=1))
    with pytest.raises(ResourceBusyError):
        locks.acquire((A,), "two", LEASE)
    clock.move(timedelta(seconds=2))
    locks.acquire((A,), "two", LEASE)


def test_the_holder_takes_its_lock_again_and_prolongs_it(locks: Locks, clock: StoreClock) -> None:
    """A retry finds its own lock open, and a renewed lease counts from the renewal."""
    locks.acquire((A,), "one", LEASE)
    clock.move(timedelta(minutes=4))
    locks.acquire((A,), "one", LEASE)
    clock.move(timedelta(minutes=4))
    assert locks.renew((A,), "one", LEASE) is None
    clock.move(timedelta(minutes=4))
    with pytest.raises(ResourceBusyError):
        locks.acquire((A,), "two", LEASE)


def test_a_lost_lock_stays_its_new_holders(locks: Locks, clock: StoreClock) -> None:
    """Neither renewing nor releasing takes a lock from who holds it by now."""
    locks.acquire((A,), "one", LEASE)
    clock.move(LEASE + timedelta(seconds=1))
    locks.acquire((A,), "two", LEASE)
    assert locks.renew((A,), "one", LEASE) == "two"
    locks.release((A,), "one")
    with pytest.raises(ResourceBusyError):
        locks.acquire((A,), "one", LEASE)
