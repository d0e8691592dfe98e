"""What a record says was given to its changes: plans, votes, what applying came to, their own clocks."""

from typing import Any

from domain.model.activity_io import Applied, Planned
from domain.model.change_events import (
    ApprovalAsked,
    ChangeMoved,
    EvidenceForgone,
    PlanMade,
    VoteCast,
    VoteKept,
)
from domain.model.commands import CHANGE_COMMANDS
from domain.model.events import Event, Refused
from domain.model.records import IN_FLIGHT, PIECE_DONE, ChangeStatus
from domain.model.timeline import Entry
from domain.rehearsal.given import What, Woke, deadline, read

_ENDS = frozenset({ChangeStatus.STALE, ChangeStatus.ALREADY_DONE})


class ChangeReader:
    """Reads what was given to one change, entry by entry. `ours`: what it found done already was our own doing."""

    def __init__(self, *, ours: bool) -> None:
        self._ours = ours
        self._kept: list[dict[str, Any]] = []
        self._heard_again: list[dict[str, Any]] = []

    def given(self, entry: Entry, event: Event) -> What | None:
        """What was given there; None for what the change's rules made of what was given before."""
        cause = entry.cause
        if isinstance(event, VoteKept):
            self._kept.append(cause)
            return read(entry, CHANGE_COMMANDS, event.command, event.given)
        if isinstance(event, PlanMade):
            self._let_early_ones_be_heard()
            return Planned(plan=event.plan, ours=self._ours)
        if isinstance(event, ChangeMoved):
            what = self._moved(entry, event)
            if event.status not in IN_FLIGHT:
                self._let_early_ones_be_heard()
            return what
        if isinstance(event, EvidenceForgone):
            return event
        if isinstance(event, VoteCast | Refused):
            return self._said(entry)
        due = deadline(entry)
        return Woke(due) if isinstance(event, ApprovalAsked) and due is not None else None

    def _let_early_ones_be_heard(self) -> None:
        """Votes that came before the plan are heard by the change itself, now or at its end."""
        self._heard_again, self._kept = self._heard_again + self._kept, []

    def _said(self, entry: Entry) -> What | None:
        if entry.cause in self._heard_again:
            self._heard_again.remove(entry.cause)
            return None
        given = {**entry.cause.get("given", {}), "by": entry.actor}
        return read(entry, CHANGE_COMMANDS, str(entry.cause.get("command")), given)

    def _moved(self, entry: Entry, event: ChangeMoved) -> What | None:
        command, answer, due = entry.cause.get("command"), entry.cause.get("answer"), deadline(entry)
        if due is not None:
            return Woke(due)
        if command is not None:
            return self._said(entry) if event.status is ChangeStatus.CANCELLED else None
        match answer, event.status:
            case "plan", _:
                return None
            case "apply", _:
                return _applied(event)
            case _:
                return event


def _applied(event: ChangeMoved) -> Applied:
    """What applying came to, as the change was told."""
    if event.status in _ENDS:
        outcome = "stale" if event.status is ChangeStatus.STALE else "already-done"
        return Applied.model_validate({"outcome": outcome, "ours": False, "observed": event.observed})
    refused = {name: why for name, why in event.pieces.items() if why != PIECE_DONE}
    return Applied(outcome="applied", ours=event.ours is not False, refused=refused)
