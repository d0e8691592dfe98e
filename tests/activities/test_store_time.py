"""A worker whose clock is wrong changes nothing and says by how much; what counts is the store's time."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from activities.aws.shared.error_mapping import as_application_error, kind_of
from activities.changes.locks import Locks, ResourceBusyError
from activities.changes.runner import LEASE, ChangeRunner
from activities.ledger.store_time import ClockError, StoreTime
from activities.ledger.table import Table
from domain.values.errors import ErrorKind
from tests.activities.dial import ARN, STEP, Dial, held, intents, looking, planned
from tests.activities.scopes import NOW
from tests.activities.store_clock import StoreClock
from tests.activities.world import LEDGER, WorldClients
from tests.records import INCIDENT

DAY, SIX_MINUTES, SECOND = timedelta(days=1), timedelta(minutes=6), timedelta(seconds=1)


@pytest.fixture
def store(clients: WorldClients, monkeypatch: pytest.MonkeyPatch) -> StoreClock:
    return StoreClock(monkeypatch, Table(clients, LEDGER))


@pytest.mark.parametrize(
    ("store_ahead", "says"),
    [
        (-DAY, r"(86399|86400) s ahead of the store's"),
        (-SIX_MINUTES, r"3(59|60) s ahead of the store's"),
        (SIX_MINUTES, r"3(59|60) s behind the store's"),
        (DAY, r"(86399|86400) s behind the store's"),
    ],
)
def test_a_wrong_clock_changes_nothing(
    clients: WorldClients, store: StoreClock, store_ahead: timedelta, says: str
) -> None:
    """Neither lock nor intent nor write; it may be tried again, for another worker's clock may be right."""
    dial, runner = Dial(clients), ChangeRunner(clients)
    call = planned(runner, dial)
    store.move(store_ahead)
    with pytest.raises(ClockError, match=says) as refused:
        runner.apply(dial, call, NOW)
    error = as_application_error(refused.value, "turn")
    assert (error.type, error.non_retryable, error.next_retry_delay) == ("ClockOff", False, timedelta(seconds=2))
    assert "let NTP set it" in error.message
    assert (dial.written, held(clients), intents(clients).get(INCIDENT, STEP, 1)) == ([], False, None)
    store.move(-store_ahead)
    assert runner.apply(dial, call, NOW).outcome == "applied"


@pytest.mark.parametrize("store_ahead", [-SECOND, SECOND])
def test_a_second_is_no_wrong_clock(clients: WorldClients, store: StoreClock, store_ahead: timedelta) -> None:
    dial, runner = Dial(clients), ChangeRunner(clients)
    call = planned(runner, dial)
    store.move(store_ahead)
    assert runner.apply(dial, call, NOW).outcome == "applied"


@pytest.mark.parametrize("store_ahead", [-SIX_MINUTES, -DAY, DAY])
def test_no_clock_but_the_stores_ends_a_lease(clients: WorldClients, store: StoreClock, store_ahead: timedelta) -> None:
    """A worker whose clock is six minutes ahead does not take a lock that is held for five, nor leave one for ever."""
    store.move(store_ahead)
    locks = Locks(Table(clients, LEDGER))
    locks.acquire((ARN,), "one", LEASE)
    with pytest.raises(ResourceBusyError):
        locks.acquire((ARN,), "two", LEASE)
    store.move(LEASE + SECOND)
    locks.acquire((ARN,), "two", LEASE)


def test_what_comes_of_a_change_is_dated_by_who_asks(clients: WorldClients, store: StoreClock) -> None:
    """How long it took is told by Temporal's times of the attempts."""
    dial, runner = Dial(clients), ChangeRunner(clients)
    dial.takes_long = True
    call = planned(runner, dial)
    runner.apply(dial, call, NOW)
    store.move(DAY)
    runner.verify(dial, looking(call), NOW + SIX_MINUTES)
    intent = intents(clients).get(call.scope.incident, STEP, 1)
    assert intent is not None
    assert intents(clients).took(intent) == SIX_MINUTES


def heard(time: StoreTime, asked_ago: timedelta, answered_ago: timedelta) -> None:
    """An answer that was asked for, and given, so long ago."""
    context: dict[str, Any] = {}
    time.asking(SimpleNamespace(context=context))
    context["asked at"] -= asked_ago
    date = format_datetime(datetime.now(UTC) - answered_ago, usegmt=True)
    time.heard({"ResponseMetadata": {"HTTPHeaders": {"date": date}}}, context)


def test_a_slow_answer_makes_no_clock_wrong() -> None:
    """An answer may be a long time on its way, either way."""
    time = StoreTime()
    heard(time, timedelta(seconds=40), timedelta(seconds=20))
    time.refuse_wrong_clock()
    heard(time, timedelta(), timedelta(seconds=20))
    with pytest.raises(ClockError, match="ahead of"):
        time.refuse_wrong_clock()


def test_the_stores_time_is_never_taken_for_later_than_it_is() -> None:
    time = StoreTime()
    heard(time, timedelta(), timedelta())
    assert datetime.now(UTC) - timedelta(seconds=2) < time.now() <= datetime.now(UTC)


@pytest.mark.parametrize("answer", [{}, {"ResponseMetadata": {"HTTPHeaders": {"date": "tomorrow"}}}])
def test_without_a_date_no_time_is_known(answer: dict[str, Any]) -> None:
    """What nobody knows is never taken for right: nothing is changed, and no lease counted."""
    time = StoreTime()
    time.heard(answer, {})
    for ask in (time.now, time.refuse_wrong_clock):
        with pytest.raises(ClockError, match="no Date"):
            ask()


@pytest.mark.parametrize("code", ["InvalidSignatureException", "RequestTimeTooSkewed", "SignatureDoesNotMatch"])
@pytest.mark.parametrize(("off", "kind"), [(SIX_MINUTES, ErrorKind.CLOCK_OFF), (SECOND, ErrorKind.ACCESS_DENIED)])
def test_a_signature_refused_for_the_time_is_no_denial(code: str, off: timedelta, kind: ErrorKind) -> None:
    """AWS refuses what was signed more than five minutes off as it refuses a wrong key: another worker may be right."""
    metadata: Any = {"HTTPHeaders": {"date": format_datetime(datetime.now(UTC) - off, usegmt=True)}}
    error = ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": metadata}, "GetItem")
    assert kind_of(error) is kind
    told = as_application_error(error, "turn")
    assert told.non_retryable is (kind is ErrorKind.ACCESS_DENIED)
    assert ("s ahead of AWS's" in told.message) is (kind is ErrorKind.CLOCK_OFF)
