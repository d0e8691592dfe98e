"""What a change and its incident say to each other: the request that it begins with, and its news."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from domain.config.approval import ApprovalRule
from domain.config.organisation import Organisation
from domain.config.runbook import ChangeStep
from domain.model.activity_io import Scope
from domain.model.change_events import ChangeEvent
from domain.model.event_kinds import Happening
from domain.model.plan import Plan
from domain.model.records import ChangeRecord
from domain.model.state import IncidentState
from domain.rules import change_requests

EVIDENCE_BOX = timedelta(minutes=5)
"""Policy time: how long containment waits at most for evidence to be under way."""


class ChangeRequest(BaseModel):
    """The Change workflow's argument.

    One that is `evidence` runs on the forensics queue. It acts in the incident's `term`. `wait_for_evidence` is how
    long applying waits at most for the evidence to be under way; None where it need not wait. A record that has come
    further than planning is of a change that goes on from its incident's record.
    """

    scope: Scope
    organisation: Organisation
    record: ChangeRecord
    rule: ApprovalRule | None
    approve_within: timedelta
    commander: str | None
    undo: Plan | None = None
    evidence: bool = False
    term: int = 1
    wait_for_evidence: timedelta | None = None

    @classmethod
    def of(cls, state: IncidentState, record: ChangeRecord, term: int = 1) -> "ChangeRequest":
        """The request of a change that stands in its incident's state."""
        step = state.declaration.runbook.step(record.step)
        undone = change_requests.undone_by(state, record)
        pending = isinstance(step, ChangeStep) and change_requests.evidence_pending(state, step)
        return cls(
            scope=state.scope,
            organisation=state.declaration.organisation,
            record=record,
            rule=step.approval if isinstance(step, ChangeStep) else None,
            approve_within=state.policy.approve,
            commander=state.commander,
            undo=undone.effect if undone else None,
            evidence=isinstance(step, ChangeStep) and step.evidence,
            term=term,
            wait_for_evidence=state.scaled(EVIDENCE_BOX) if pending else None,
        )

    @property
    def title(self) -> str:
        return f"Undo: {self.record.title}" if self.undo else self.record.title


class ChangeNews(BaseModel):
    """What a change's workflow says to its incident: events since it spoke last, in order."""

    workflow_id: str
    events: list["ChangeHappening"]

    def happenings(self) -> list[Happening]:
        return [Happening(one.event, one.actor, one.at, one.cause) for one in self.events]


class ChangeHappening(BaseModel):
    """One event of a change: who did it, when (UTC), and what it came of."""

    at: datetime
    actor: str
    event: ChangeEvent
    cause: dict[str, Any] = {}
