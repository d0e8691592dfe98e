"""Asking an activity. Anybody who reaches Temporal can answer in its place, so an answer is looked at first.

One that the hands have not sealed, or that is not what was asked for, is an attempt that failed: it is put on record
and the activity is asked again, after a pause that grows. No answer fails a task of the workflow.
"""

from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar, runtime_checkable

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.model.activity_io import Stranger
    from domain.values.errors import ErrorKind
    from domain.values.severity import Severity

from workflows import failures, profiles, seals

UNSEALED = "the answer is none that the hands have given: the activity is asked again"
UNREADABLE = "the answer is not what was asked for: the activity is asked again"
NOTE = "strangers.note"
_PAUSE, _LONGEST = timedelta(seconds=1), timedelta(minutes=1)
_HOUR = timedelta(hours=1)

T = TypeVar("T")


async def ask(name: str, answer: type[T], options: dict[str, Any], *call: Any) -> T:
    """Ask for an answer of this type, at most one input being given.

    Raises `ActivityError` like `workflow.execute_activity`, also where no sealed answer came within the time that the
    options set. Where they set none it is asked anew each hour: whoever fails it in the place of ours may have the
    server wait for years before it is tried again.
    """
    doubted = _Doubts(name)
    try:
        return await _asked(name, answer, options, call, doubted)
    finally:
        await doubted.tell()


async def _asked(name: str, answer: type[T], options: dict[str, Any], call: tuple[Any, ...], doubted: "_Doubts") -> T:
    within = options.get("schedule_to_close_timeout")
    until: datetime | None = None if within is None else workflow.now() + within
    pause = _PAUSE
    while True:
        left = _HOUR if until is None else max(until - workflow.now(), _PAUSE)
        options = {**options, "schedule_to_close_timeout": left}
        try:
            # an id that no other run has, and that stays the same in a run that was reset: the answer is bound to it
            drawn = workflow.uuid4().hex[:16]
            raw = await workflow.execute_activity(name, args=call, result_type=RawValue, activity_id=drawn, **options)
            return read(raw, answer)
        except StrangeAnswerError as error:
            doubted.add(str(error))
            if _is_past(until):
                raise _unanswered(name, str(error)) from None
        except ActivityError as error:
            if until is None and failures.is_out_of_time(error):
                continue
            if not failures.is_unsealed(error):
                raise
            doubted.add(UNSEALED)
            if _is_past(until):
                raise
        await workflow.sleep(pause, summary=f"ask {name} again")
        pause = min(2 * pause, _LONGEST)


async def note(stranger: Stranger) -> None:
    """Have the hands take note of what came from none of ours; for an hour at most."""
    options = profiles.with_profile(profiles.NOTE, Severity.P3, "Take note of a stranger")
    try:
        await ask(NOTE, type(None), options, stranger)
    except ActivityError as error:
        workflow.logger.warning("nobody takes note of a stranger: %s", failures.reason(error))


class StrangeAnswerError(Exception):
    """An answer that is not taken, and why."""


def read(raw: RawValue | None, answer: type[T]) -> T:
    """What an activity or a child gave, which may be nothing at all. Raises `StrangeAnswerError`."""
    if raw is None:
        raise StrangeAnswerError(UNREADABLE)
    if seals.came_in_the_clear(raw.payload):
        raise StrangeAnswerError(UNSEALED)
    if answer is type(None):
        return None
    if raw.payload.metadata.get("encoding") != b"json/plain":  # other converters do not look at the type
        raise StrangeAnswerError(UNREADABLE)
    try:
        return workflow.payload_converter().from_payload(raw.payload, answer)
    except Exception:  # noqa: BLE001 - whatever it is, it is not the answer, and what it says of it may repeat it
        raise StrangeAnswerError(UNREADABLE) from None


@runtime_checkable
class _KeepsARecord(Protocol):
    """A workflow that is spoken to (`message_handlers.Hears`), which asks activities itself."""

    def disbelieve(self, what: str, why: str) -> bool: ...


class _Doubts:
    """Answers to one activity that were not believed: they go on record, or the hands are told that there were some."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._untold = False

    def add(self, why: str) -> None:
        workflow.logger.warning("%s: %s", self._name, why)
        own = workflow.instance()
        if not (isinstance(own, _KeepsARecord) and own.disbelieve(f"answer to {self._name}", why)):
            self._untold = True

    async def tell(self) -> None:
        """Have the hands take note, where the workflow keeps no record; for an hour at most, as work waits for it."""
        if self._untold and self._name != NOTE:
            await note(Stranger(what=self._name))


def _is_past(until: datetime | None) -> bool:
    return until is not None and workflow.now() >= until


def _unanswered(name: str, why: str) -> ActivityError:
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=0,
        started_event_id=0,
        identity="",
        activity_type=name,
        activity_id="",
        retry_state=None,
    )
    error.__cause__ = ApplicationError(why, type=ErrorKind.UNSEALED.value)
    return error
