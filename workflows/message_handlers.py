"""How a workflow is spoken to: one signal handler and one update handler take whatever comes, and never fail a task.

A handler of its own for each name fails its task for ever on no input or on two, so there is none. What people say are
commands, as a signal or as an update with the same answer; what our own workflows say to each other are messages, by
signal alone. What cannot be read is refused like what may not be done, and so is what an error of ours keeps from being
done: a refusal goes on record, and the workflow goes on.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from domain.model.commands import Command
    from domain.model.proofs import ClaimAsked, Unproven
    from domain.model.reading import Input, UnreadableError, read
    from domain.values import limits

from workflows import failures, proving, seals
from workflows.uncancelled import wait_condition

NO_SUCH_COMMAND = "there is no such command"
NOT_OURS = "only workflows of ours say this, and this is not sealed by one that does"
FAILED = "an error of the program kept it from being done; its operator finds it in the worker's log"
_MANY, _TOO_MANY = 1500, 1900
"""A run takes 2,000 updates (Temporal Service, "Limits"); the rest are for what comes while it ends."""

_AT_ONCE = 250
_PAUSE = timedelta(milliseconds=1)

M = TypeVar("M", bound=BaseModel)


class _ToProve(NamedTuple):
    """A command that is heard once it is proven who says it."""

    name: str
    command: Command
    asked: ClaimAsked


class Hears:
    """A workflow that is spoken to. `commands` are what people may say, `messages` what our own workflows say.

    `from_outside` are messages that anybody may say.
    """

    commands: ClassVar[Mapping[str, type[Command]]] = {}
    messages: ClassVar[Mapping[str, type[BaseModel]]] = {}
    from_outside: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self._updates = 0
        self.refused = 0
        self._unheard: deque[tuple[str, Sequence[RawValue]]] = deque()
        self._heard = self._at_length = 0
        self._waited = self._done = 0
        self._looks = set[asyncio.Task[str | None]]()
        self._one_look, self._one_witnessed = asyncio.Lock(), asyncio.Lock()

    async def ready(self) -> None:
        """Wait until it can be spoken to: an incident that is being restored is read from its record first."""

    def refuse_early(self, name: str, command: Command) -> str | None:  # noqa: ARG002 - it accepts everything
        """Why an update is turned away before it is on record; None to accept it."""
        return None

    def to_prove(self, name: str, command: Command, sender: str | None) -> ClaimAsked | None:  # noqa: ARG002 - nothing
        """What whoever says this has to prove before it is heard; None where nothing has to be.

        `sender` is the workflow that has sealed it, if one of ours has.
        """
        return None

    def hear(self, name: str, command: Command) -> str | None:
        """Do the command, or record its refusal and return the reason. One that does nothing refuses everything."""
        reason = f"{name} is not for this workflow"
        self.refuse(name, command.by, reason)
        return reason

    def learn(self, name: str, message: Any) -> str | None:  # noqa: ARG002 - it learns nothing
        """Take a message of another workflow of ours; the reason where it is not believed. The one place for that."""
        return f"{name} is not for this workflow"

    def may_say(self, name: str, sender: str) -> bool:  # noqa: ARG002 - it hears each of ours
        """Whether the workflow `sender`, which sealed a message, is one that says such to this one."""
        return True

    def disbelieve(self, what: str, why: str) -> bool:
        """Something which only ours say came from none of ours: whether that is on record now. Else it is counted."""
        self.refuse(what, "unknown", why)
        return False

    def refuse(self, name: str, by: str, reason: str) -> None:  # noqa: ARG002 - a number is kept
        """Record a refusal, with nothing of what could not be read; a workflow that keeps no record counts it."""
        self.refused += 1

    async def refuse_cancel(self) -> None:
        """Record that the workflow was to be cancelled; one that keeps no record counts it."""
        self.refuse("cancel", "unknown", "workflows are not cancelled")

    async def answer(self) -> Any:
        """The new state, as updates answer it, once every workflow that it names is there to be spoken to."""

    def is_full(self, limit: int, *, amid: bool = False) -> bool:
        """Whether this run had better carry on as a new one, by its events and updates.

        `amid` something that would have to be done again, only where it must.
        """
        info = workflow.info()
        length = info.get_current_history_length()
        if amid:
            return length >= 2 * limit or self._updates >= _TOO_MANY
        return length >= limit or self._updates >= _MANY or info.is_continue_as_new_suggested()

    @workflow.signal(dynamic=True)
    async def heard_by_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Do what is said, or refuse it on record; of very much at once a part at a time, in order."""
        await self.ready()
        if not self._unheard and self._has_room():
            self._hear_one(name, args)
            await self._looked()
            return
        self._unheard.append((name, args))
        self._waited += 1
        if len(self._unheard) > 1:
            return  # the first that waits sees to the others
        while self._unheard:
            await workflow.sleep(_PAUSE, summary="much is said at once")
            for _ in range(min(_AT_ONCE, len(self._unheard) - 1)):
                self._hear_next()
            if len(self._unheard) == 1:
                self._hear_next()
        await self._looked()

    async def _looked(self) -> None:
        """Wait until every proof that came by signal has been looked at."""
        if self._looks:
            await wait_condition(lambda: not self._looks)

    def _hear_next(self) -> None:
        self._done += 1
        self._hear_one(*self._unheard.popleft())

    async def all_heard(self) -> None:
        """Wait until what has been said so far is heard, where it waits among much."""
        if self._unheard:
            waited = self._waited
            await wait_condition(lambda: self._done >= waited)

    def _has_room(self) -> bool:
        """Whether little has been heard in this task: one that takes two seconds fails, and would for ever."""
        length = workflow.info().get_current_history_length()
        self._heard = self._heard + 1 if length == self._at_length else 1
        self._at_length = length
        return self._heard <= _AT_ONCE

    def _hear_one(self, name: str, args: Sequence[RawValue]) -> None:
        if name in self.messages:
            self._take(name, args)
            return
        if isinstance(found := self._do(name, args), _ToProve):
            look = asyncio.create_task(self._prove(found))
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)

    @workflow.update(dynamic=True)
    async def heard_by_update(self, name: str, args: Sequence[RawValue]) -> Any:
        """Do what is said and answer; raises an `ApplicationError` of type Refused with the reason."""
        await self.ready()
        self._updates += 1
        found = self._do(name, args)
        if (reason := await self._prove(found) if isinstance(found, _ToProve) else found) is not None:
            raise failures.refused(reason)
        return await self.answer()

    @heard_by_update.validator
    def turned_away(self, name: str, args: Sequence[RawValue]) -> None:
        """Turn an update away at once: nothing of it enters history. Raises an `ApplicationError` of type Refused."""
        try:
            reason = self.refuse_early(name, self._read(self.commands, name, args, limits.MESSAGE))
        except UnreadableError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a refusal
            _log(name, error)
            reason = FAILED
        if reason is not None:
            raise failures.refused(reason)

    def _read(self, known: Mapping[str, type[M]], name: str, args: Sequence[RawValue], most: int) -> M:
        """Raises `UnreadableError`."""
        model = known.get(name)
        if model is None:
            raise UnreadableError(NO_SUCH_COMMAND)
        inputs = [Input(one.payload.metadata.get("encoding", b""), one.payload.data) for one in args]
        return read(model, inputs, most)

    def _do(self, name: str, args: Sequence[RawValue]) -> "str | _ToProve | None":
        """Do what is said: the reason where it is not done, or what has to be proven first."""
        try:
            command = self._read(self.commands, name, args, limits.MESSAGE)
            asked = self.to_prove(name, command, seals.sealed_by(args[0].payload))
            return self.hear(name, command) if asked is None else _ToProve(name, command, asked)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a refusal
            return self._refuse_for(name, error)

    async def _prove(self, found: "_ToProve") -> str | None:
        """Do it once it is proven who says it, in the order in which it came; the reason where it is not done.

        What AWS has to be asked about is in an order of its own: while AWS is away others are heard.
        """
        try:
            async with self._one_witnessed if proving.is_witnessed(found.asked) else self._one_look:
                verdict = await proving.verdict_on(found.asked)
                if verdict.proven is not None:
                    return self.hear(found.name, found.command.with_verdict(verdict.proven))
                reason = Unproven(verdict.reason) if verdict.looked else verdict.reason
                self.refuse(found.name, found.command.by, reason)
                return verdict.reason
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a refusal
            return self._refuse_for(found.name, error)

    def _is_ours(self, name: str, args: Sequence[RawValue]) -> bool:
        """Whether a workflow of ours that says such has sealed a message; without encryption nobody can tell."""
        if name in self.from_outside:
            return True
        if len(args) != 1 or seals.came_in_the_clear(args[0].payload):
            return False
        sender = seals.sealed_by(args[0].payload)
        return sender is None or self.may_say(name, sender)

    def _take(self, name: str, args: Sequence[RawValue]) -> None:
        if not self._is_ours(name, args):
            self.disbelieve(name, NOT_OURS)
            return
        try:
            reason = self.learn(name, self._read(self.messages, name, args, limits.NEWS))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a refusal
            self._refuse_for(name, error)
        else:
            if reason is not None:
                self.refuse(name, "unknown", reason)

    def _refuse_for(self, name: str, error: Exception) -> str:
        """What became of a message that could not be read or done."""
        reason, by = FAILED, "unknown"
        if isinstance(error, UnreadableError):
            reason, by = str(error), error.by
        else:
            _log(name, error)
        self.refuse(name, by, reason)
        return reason


def _log(name: str, error: Exception) -> None:
    """Say that something of ours failed, and where; what it says of itself may repeat what came in."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = f"{at.tb_frame.f_code.co_qualname}:{at.tb_lineno}" if at else "?"
    workflow.logger.error("a message failed: %s in %s", type(error).__name__, where, extra={"message_name": name[:100]})
