import dataclasses
import queue
import threading
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog
from botocore.exceptions import ClientError
from temporalio.activity import ActivityCancellationDetails
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import ActivityEnvironment

from activities import activity_context as module
from activities.activity_context import acting
from activities.heartbeat import last_progress, progress

WAIT_SECONDS = 10
SAID = "no access to the images of Jo Example"


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> ActivityEnvironment:
    monkeypatch.setattr(module, "_BEAT_SECONDS", 0.01)
    given = ActivityEnvironment()
    given.info = dataclasses.replace(given.info, heartbeat_timeout=timedelta(seconds=5))
    return given


def test_beats_while_the_work_runs(env: ActivityEnvironment) -> None:
    """A call that blocks heartbeats all the while, and stops when it is done."""
    beaten = threading.Semaphore(0)
    env.on_heartbeat = lambda *_: beaten.release()

    def work() -> list[bool]:
        with acting("work"):
            return [beaten.acquire(timeout=WAIT_SECONDS) for _ in range(3)]

    assert env.run(work) == [True, True, True]
    _until_no_beating_thread()


def test_no_beat_where_none_is_waited_for(env: ActivityEnvironment) -> None:
    """Without a heartbeat timeout no thread is started."""
    env.info = dataclasses.replace(env.info, heartbeat_timeout=None)

    def work() -> bool:
        with acting("work"):
            return any(thread.name == "heartbeat" for thread in threading.enumerate())

    assert env.run(work) is False


def test_beats_carry_how_far_it_has_come(env: ActivityEnvironment) -> None:
    """Every beat repeats the latest details, at first those of the attempt before: none wipes them."""
    env.info = dataclasses.replace(env.info, heartbeat_details=[{"done": 3}])
    told: queue.Queue[Any] = queue.Queue()
    env.on_heartbeat = lambda *details: told.put(details)

    def until(details: tuple[Any, ...]) -> None:
        while told.get(timeout=WAIT_SECONDS) != details:
            pass

    def work() -> Any:
        with acting("work"):
            found = last_progress()
            assert [told.get(timeout=WAIT_SECONDS) for _ in range(2)] == [({"done": 3},)] * 2
            progress({"done": 4})
            until(({"done": 4},))
            assert told.get(timeout=WAIT_SECONDS) == ({"done": 4},)
            return found, last_progress()

    assert env.run(work) == ({"done": 3}, {"done": 4})
    assert last_progress() is None


def test_progress_outside_an_activity_goes_nowhere() -> None:
    """Whoever calls a change's code directly needs no activity around it."""
    progress({"done": 1})
    assert last_progress() is None


def test_ids_stand_in_every_log_line(env: ActivityEnvironment) -> None:
    """While the work runs its ids are bound for the log, and no longer."""

    def work() -> dict[str, Any]:
        with acting("work", incident="inc-1", step="look"):
            return dict(structlog.contextvars.get_contextvars())

    assert env.run(work) == {"incident": "inc-1", "step": "look"}
    assert structlog.contextvars.get_contextvars() == {}


def test_the_attempt_decides(env: ActivityEnvironment) -> None:
    """An unknown error is final from the third attempt on."""

    def work() -> None:
        with acting("work"):
            raise LookupError

    def final(attempt: int) -> bool:
        env.info = dataclasses.replace(env.info, attempt=attempt)
        with pytest.raises(ApplicationError) as raised:
            env.run(work)
        return raised.value.non_retryable

    assert [final(attempt) for attempt in (1, 2, 3)] == [False, False, True]


async def test_what_aws_answered_does_not_leave_with_an_error(env: ActivityEnvironment) -> None:
    """Neither the failure that Temporal keeps nor the traceback that is logged repeats an answer's text."""

    def fail() -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": SAID}}, "GetObject")

    def wrapped() -> None:
        try:
            fail()
        except ClientError as error:
            raise ApplicationError("look again", type="Transient") from error

    for work in (fail, wrapped):
        with pytest.raises(ApplicationError) as raised:
            env.run(_acting, work)
        kept = Failure()
        await pydantic_data_converter.encode_failure(raised.value, kept)
        logged = "".join(traceback.format_exception(raised.value))
        assert SAID not in f"{kept}{logged}"
        assert not kept.HasField("cause")
        assert f"in {work.__name__}" in logged


def _acting(work: Callable[[], None]) -> None:
    with acting("work"):
        work()


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (ActivityCancellationDetails(worker_shutdown=True), ApplicationError),
        (ActivityCancellationDetails(cancel_requested=True), CancelledError),
    ],
)
def test_cut_short(env: ActivityEnvironment, details: ActivityCancellationDetails, expected: type[Exception]) -> None:
    """A worker that is shut down fails its work retryably at once; a cancellation stays one."""
    begun = threading.Event()

    def work() -> None:
        with acting("work"):
            begun.set()
            never = threading.Event()
            while not never.wait(0.01):
                pass

    def cut() -> None:
        begun.wait(WAIT_SECONDS)
        env.cancel(cancellation_details=details)

    threading.Thread(target=cut).start()
    with pytest.raises(expected) as raised:
        env.run(work)
    if isinstance(raised.value, ApplicationError):
        assert (raised.value.type, raised.value.non_retryable) == ("WorkerShutdown", False)
        assert raised.value.next_retry_delay == timedelta(milliseconds=1)


def _until_no_beating_thread() -> None:
    for thread in threading.enumerate():
        if thread.name == "heartbeat":
            thread.join(WAIT_SECONDS)
            assert not thread.is_alive()
