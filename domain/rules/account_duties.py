"""Duties to notify, and the facts that they count from, as the timeline tells them."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from domain.model.timeline import Entry


class Fact(BaseModel):
    """What somebody declared to be so, such as when a breach was first suspected; the latest entry of it counts."""

    fact: str
    title: str
    value: datetime
    by: str
    at: datetime
    reason: str | None = None


class Signature(BaseModel):
    by: str
    role: str
    at: datetime


class DutyEvent(BaseModel):
    """Something that happened to an obligation."""

    at: datetime
    by: str
    event: str
    reason: str | None = None


class Obligation(BaseModel):
    """One duty as its latest entry tells it.

    It has a `due_at`, or is due as soon as practicable and then has a `ceiling_at`: the latest, by who set it. While it
    is open, `done_at` and `reference` are what is proposed and not signed by everybody yet.
    """

    step: str
    obligation: str
    title: str
    state: Literal["open", "discharged", "not-required", "superseded"]
    basis: str = ""
    source: str = ""
    owner: str = ""
    signers: list[str] = []
    due_at: datetime | None = None
    due_basis: str | None = None
    ceiling_at: datetime | None = None
    ceiling_basis: str | None = None
    reference: str | None = None
    outcome: str | None = None
    reason: str | None = None
    justification: str | None = None
    done_at: datetime | None = None
    signatures: list[Signature] = []
    opened_at: datetime
    events: list[DutyEvent] = []

    @property
    def deadline(self) -> datetime | None:
        """When it must be done at the latest."""
        return self.due_at or self.ceiling_at

    @property
    def overdue(self) -> bool:
        """Whether its deadline passed before it was done; a deadline that was moved since counts as it stands now."""
        if self.state != "open" and self.done_at is not None and self.deadline is not None:
            return self.done_at > self.deadline
        last = next((event for event in reversed(self.events) if event.event in {"moved", "overdue"}), None)
        return last is not None and last.event == "overdue"

    @property
    def late(self) -> timedelta | None:
        """By how much it was missed; None where it was not, or is not done yet."""
        if self.state == "open" or not self.overdue or self.done_at is None or self.deadline is None:
            return None
        return self.done_at - self.deadline


def take_obligation(known: list[Obligation], entry: Entry) -> None:
    """Let an obligation stand as its latest entry says."""
    step = entry.data["step"]
    before = next((duty for duty in known if duty.step == step), None)
    event = DutyEvent(at=entry.at, by=entry.actor, event=entry.data["event"], reason=entry.data.get("reason"))
    opened_at = before.opened_at if before else entry.at
    events = [*before.events, event] if before else [event]
    duty = Obligation.model_validate({**entry.data, "opened_at": opened_at, "events": events})
    if before is None:
        known.append(duty)
    else:
        known[known.index(before)] = duty


def take_fact(known: list[Fact], entry: Entry) -> None:
    """Let a fact stand as it was recorded last."""
    fact = Fact.model_validate({**entry.data, "by": entry.actor, "at": entry.at})
    known[:] = [*(other for other in known if other.fact != fact.fact), fact]
