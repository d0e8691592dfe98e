"""The record of one incident as workers read it back, and the terms under which its lives write it."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.ledger.restoring import heard_by
from domain.model.activity_io import AppendCall, ChangeAsked, ChangeOutcome
from domain.model.declaration import Declaration
from domain.model.event_kinds import ENDING
from domain.model.records import ChangeStatus
from domain.model.restoring import Restorable, RestorableCall, RestoreCall, RestoredIncident
from domain.model.timeline import Entry, Timeline
from domain.rules.evolve import begun, fold
from domain.values import ids
from domain.values.errors import ErrorKind

if TYPE_CHECKING:
    from tests.workflows.world import World

_BEFORE_AN_INTENT = {ChangeStatus.PLANNING, ChangeStatus.AWAITING_APPROVAL}


class Past:
    """What a world's ledger has. A test may hold back who reads it (`reading`), and sees which intents were put.

    `open_ones` are the declarations of all that have not ended; what is `unwritten` is on its way for that many looks.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.term = 1
        self.holder = ""
        self.intents: dict[str, ChangeOutcome] = {}
        self.open_ones: dict[str, Declaration] = {}
        self.unwritten = 0
        self.reading = asyncio.Event()
        self.reading.set()

    def check(self, term: int) -> None:
        """Refuse a life that is over."""
        if term < self.term:
            kind = ErrorKind.SUPERSEDED.value
            raise ApplicationError(f"the incident goes on under term {self.term}", type=kind, non_retryable=True)

    def note(self, call: AppendCall) -> None:
        """Keep which incidents are open, whichever of them the chain is of."""
        self.check(call.term)
        for entry in call.entries:
            if entry.seq == 1:
                self.open_ones[call.incident] = begun(entry).declaration
            elif entry.kind in ENDING:
                self.open_ones.pop(call.incident, None)

    def entries(self) -> list[Entry]:
        """The chain, with the follow-up work behind its end."""
        entries = list(self._world.ledger)
        for call in self._world.followed:
            grown = Timeline(dropped=entries[-1].seq, base=entries[-1].hash)
            data = {**call.data, "follow_up": call.number}
            entries.append(grown.append(call.at, call.actor, call.kind, call.text, data, v=call.v, cause=call.cause))
        return entries

    def activities(self) -> list[Callable[..., Any]]:
        @activity.defn(name="ledger.restore")
        async def restore(call: RestoreCall) -> RestoredIncident:
            await self.reading.wait()
            return self._restored(call)

        @activity.defn(name="ledger.restorable")
        async def restorable(call: RestorableCall) -> list[Restorable]:
            if call.key is not None:
                return self._under(call.key)
            return [one for one in [self._restorable()] if call.incident in {None, one.incident}]

        @activity.defn(name="changes.outcome")
        async def outcome(call: ChangeAsked) -> ChangeOutcome:
            assert activity.info().workflow_id == call.about.incident
            if "outcome" in self._world.broken:
                raise ApplicationError("no table", type="NotFound", non_retryable=True)
            change = ids.change_workflow_id(call.about.incident, call.step, call.generation)
            return self.intents.setdefault(change, ChangeOutcome(outcome="nothing"))

        return [restore, restorable, outcome]

    def _restored(self, call: RestoreCall) -> RestoredIncident:
        entries = self.entries()
        state = fold(entries)
        assert state.id == call.incident
        if call.holder != self.holder:
            self.term, self.holder = self.term + 1, call.holder
        waiting = {one.workflow_id for one in state.changes_in_flight() if one.status in _BEFORE_AN_INTENT}
        return RestoredIncident(
            state=state,
            length=len(entries),
            head=entries[-1].hash,
            epoch=1,
            term=self.term,
            until=entries[-1].at,
            heard=heard_by(entries),
            intended={name: who for name, who in self.intents.items() if name in waiting},
            followed=len(self._world.followed),
        )

    def _under(self, key: str) -> list[Restorable]:
        if "keys" in self._world.broken:
            raise ApplicationError("no table", type="NotFound", non_retryable=True)
        self.unwritten -= 1
        if self.unwritten >= 0:
            return []
        return [
            Restorable(incident=incident, mode=one.mode, key=key)
            for incident, one in self.open_ones.items()
            if one.holder == key
        ]

    def _restorable(self) -> Restorable:
        entries = self.entries()
        state = fold(entries)
        return Restorable(
            incident=state.id,
            title=state.title,
            type=state.type,
            severity=state.severity,
            status=state.status,
            mode=state.declaration.mode,
            over=state.ended,
            declared_at=state.declared_at,
            key=state.declaration.holder,
            entries=len(entries),
            until=entries[-1].at,
        )
