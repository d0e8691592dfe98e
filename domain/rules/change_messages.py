"""What a change and its incident say to each other: the request that it begins with, and its news."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from domain.config.approval import ApprovalRule
from domain.config.delegation import Delegation
from domain.config.organisation import Organisation
from domain.config.runbook import ChangeStep
from domain.model.activity_io import About, Undone
from domain.model.change_events import ChangeEvent
from domain.model.event_kinds import Happening
from domain.model.records import PIECE_DONE, ChangeRecord
from domain.model.state import IncidentState
from domain.rules import change_requests
from domain.rules.refusals import Refusals
from domain.values.instants import Instant

MOST = 100
"""How many events are told at once."""

EVIDENCE_BOX = timedelta(minutes=5)
"""Policy time: how long containment waits at most for evidence to be under way."""

_PLAN_WITHIN = timedelta(minutes=45)
"""Policy time, at least: half an hour of AWS's trouble, and time to get over it."""
_LOST = 1000
"""How many events a lost life of a change may have said that nobody has heard."""
_LEAST = timedelta(minutes=2)
"""Real time: AWS does not plan faster with a sandbox's policy clocks."""


class ChangeRequest(BaseModel):
    """The Change workflow's argument.

    One that is `evidence` runs on the forensics queue. Its plan is waited for `plan_within`. It acts in the incident's
    `term`. `wait_for_evidence` is how long applying waits at most for the evidence to be under way; None where it need
    not wait. A record that has come further than planning is of a change that goes on from its incident's record.
    `delegations` are those that the incident knows of: who stands in may vote for as long as they do.
    With `proofs` whoever votes has to prove who they are. `told` is the number of the last of its events that the
    incident has heard. `history_limit` is the number of events after which the workflow carries on as a new run, to
    which it hands `carried`: taken from no client.
    """

    about: About
    organisation: Organisation
    delegations: tuple[Delegation, ...] = ()
    record: ChangeRecord
    rule: ApprovalRule | None
    approve_within: timedelta
    plan_within: timedelta = _PLAN_WITHIN
    commander: str | None
    undo: Undone | None = None
    evidence: bool = False
    term: int = 1
    proofs: bool = False
    wait_for_evidence: timedelta | None = None
    told: int = 0
    history_limit: int = 4000
    carried: "CarriedChange | None" = None

    @classmethod
    def of(cls, state: IncidentState, record: ChangeRecord, term: int = 1, told: int = 0) -> "ChangeRequest":
        """The request of a change that stands in its incident's state, of which it has heard up to the number `told`.

        One that is begun anew counts on from far behind that: what its lost life has said is not taken for its own.
        """
        step = state.declaration.runbook.step(record.step)
        undone = change_requests.undone_by(state, record)
        pending = isinstance(step, ChangeStep) and change_requests.evidence_pending(state, step)
        return cls(
            about=state.about,
            organisation=state.declaration.organisation,
            delegations=StandIns.of(state).delegations,
            record=record,
            rule=step.approval if isinstance(step, ChangeStep) else None,
            approve_within=state.policy.approve,
            plan_within=_plan_within(state),
            commander=state.commander,
            undo=_taken_back(undone) if undone else None,
            evidence=isinstance(step, ChangeStep) and step.evidence,
            term=term,
            proofs=state.proofs,
            wait_for_evidence=state.scaled(EVIDENCE_BOX) if pending else None,
            told=told + _LOST if told else 0,
            history_limit=state.declaration.history_limit,
        )

    @property
    def title(self) -> str:
        return f"Undo: {self.record.title}" if self.undo else self.record.title


def _plan_within(state: IncidentState) -> timedelta:
    """As long as the votes on it would be waited for, up to the last level of the chain."""
    votes = state.policy.approve * (1 + len(state.declaration.organisation.chain))
    return max(votes, state.scaled(_PLAN_WITHIN), _LEAST)


def _taken_back(undone: ChangeRecord) -> Undone:
    """What of a change still stands."""
    gone = tuple(sorted(name for name, came in undone.pieces.items() if came != PIECE_DONE))
    return Undone(generation=undone.generation, without=gone)


class CarriedChange(BaseModel):
    """What a change's workflow knows beside its record, as one run hands it to the next.

    `news` are its events, which may have to be said again; `by_signal`, that the incident waits for no result;
    `commander_since`, when its commander took command, as far as it has been told.
    """

    news: list["ChangeHappening"]
    refusals: Refusals
    by_signal: bool
    commander_since: datetime | None = None


class Commander(BaseModel):
    """Who commands the incident, and since when (UTC): anybody can copy an earlier one out of the history."""

    commander: str = Field(min_length=1, max_length=200)
    at: AwareDatetime | None = None


class StandIns(BaseModel):
    """Who stands in, until when, by all that the incident knows; what was known before stands as well."""

    delegations: tuple[Delegation, ...] = ()

    @classmethod
    def of(cls, state: IncidentState) -> "StandIns":
        return cls(delegations=tuple(one.as_it_is().bare() for one in state.stand_ins))

    def beside(self, known: Iterable[Delegation]) -> tuple[Delegation, ...]:
        """All of them, each once; what was ended stays so: an earlier message that comes again changes nothing."""
        found = {one.id: one for one in known}
        for one in self.delegations:
            before = found.get(one.id, one)
            ended = [at for at in (before.ended, one.ended) if at is not None]
            found[one.id] = one.model_copy(update={"ended": min(ended, default=None)})
        return tuple(found.values())


class Nothing(BaseModel):
    """A message that says all by its name; what else it holds is not read."""

    @model_validator(mode="before")
    @classmethod
    def _unread(cls, _value: Any) -> dict[str, Any]:
        return {}


class Life(BaseModel):
    """Another run or life of the incident, which awaits no result and is told by signal.

    It acts in `term`, and has heard what the change has said up to the number `heard`.
    """

    term: int = Field(ge=1)
    heard: int = Field(default=0, ge=0)


class ChangeNews(BaseModel):
    """What a change's workflow says to its incident, in order."""

    workflow_id: str
    events: list["ChangeHappening"] = Field(min_length=1)

    def happenings(self) -> list[Happening]:
        return [Happening(one.event, one.actor, one.at, one.cause) for one in self.events]


class ChangeEnd(BaseModel):
    """What a change's workflow ends with, as far as its incident reads it: what it has not heard yet."""

    news: ChangeNews | None


class ChangeHappening(BaseModel):
    """One event of a change: who did it, when (UTC), and what it came of.

    `number` counts the events of the change, in earlier lives of its workflow too.
    """

    number: int = 0
    at: Instant
    actor: str
    event: ChangeEvent
    cause: dict[str, Any] = {}
