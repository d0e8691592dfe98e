"""What can happen in the work on an incident: findings, tasks, facts, obligations, custody, notices, its record."""

from datetime import datetime
from typing import ClassVar, Literal

from domain.model.duty_records import Ending, Signature
from domain.model.events import Event, because
from domain.model.finding import Finding
from domain.model.records import StoredReport
from domain.values.instants import Instant
from domain.values.timestamps import stamp


class Found(Event, Finding):
    """What a probe saw."""

    kind: Literal["finding"] = "finding"
    step: str
    title: str
    action: str
    says: ClassVar[str] = "{title}: {status} - {summary}"


class Suggested(Event):
    """A finding speaks for a change. People decide."""

    kind: Literal["suggestion"] = "suggestion"
    step: str
    title: str
    because: str
    says: ClassVar[str] = "Suggested because of {because}: {title} ({step})"


class LinkAsked(Event):
    """An incident of another type is to be opened beside this one, or one of its own under an alert key."""

    kind: Literal["linking"] = "linking"
    type: str
    because: str
    key: str | None = None
    title: str | None = None
    description: str = ""
    says: ClassVar[str] = "Opening an incident of type {type} because of {because}"


class Linked(Event):
    kind: Literal["linked"] = "linked"
    incident: str
    type: str
    because: str
    key: str | None = None

    def sentence(self, actor: str) -> str:
        kept = "" if self.key else "; it keeps this incident's awareness"
        return f"Opened {self.incident} ({self.type}) because of {self.because}{kept}"


class LinkHeld(Event):
    """Nothing is opened: an incident of that key is open already, or there is another `reason`."""

    kind: Literal["link-held"] = "link-held"
    type: str
    key: str | None = None
    because: str
    reason: str | None = None

    def sentence(self, actor: str) -> str:
        reason = self.reason or f"an incident of key {self.key} is open already"
        return f"Nothing is opened because of {self.because}: {reason}"


class TaskOpened(Event):
    """Work that a finding or an applied change asks for.

    With `review_of`, a contact, it is to look back by `due` at what they did alone, and no step of the runbook.
    """

    kind: Literal["task-opened"] = "task-opened"
    step: str
    because: str
    title: str
    owner: str
    due: Instant | None = None
    review_of: str | None = None
    says: ClassVar[str] = "{title}: for {owner}, because of {because}"


class TaskEnded(Event):
    kind: Literal["task"] = "task"
    step: str
    title: str
    status: Literal["done", "waived", "missed"]
    note: str | None = None

    def sentence(self, actor: str) -> str:
        return because(f"{self.title}: {self.status}", self.note)


class FactRecorded(Event):
    kind: Literal["fact"] = "fact"
    fact: str
    title: str
    value: datetime
    reason: str | None = None

    def sentence(self, actor: str) -> str:
        return because(f"{self.fact} is {stamp(self.value)}: {self.title}", self.reason)


class _Duty(Event):
    """Something about an obligation, named by the runbook's `step`."""

    step: str
    title: str


class DutyStarted(_Duty):
    """A duty begins, or is counted from another instant (`moved`). `reminded` reminders are past already."""

    kind: Literal["obligation-started"] = "obligation-started"
    obligation: str
    started_at: datetime
    due_at: datetime
    moved: bool = False
    reminded: int = 0
    source: str
    as_soon_as_practicable: bool = False

    def sentence(self, actor: str) -> str:
        if self.moved:
            return f"{self.title}: now due {stamp(self.due_at)}"
        due = "as soon as practicable, at the latest" if self.as_soon_as_practicable else "due"
        return f"{self.title}: {due} {stamp(self.due_at)} ({self.source})"


class DutyOverdue(_Duty):
    kind: Literal["obligation-overdue"] = "obligation-overdue"
    says: ClassVar[str] = "Deadline missed: {title}"


class DutySigned(_Duty):
    """How a duty ends is proposed or signed; the last signature that is needed ends it (`missing` is empty)."""

    kind: Literal["obligation"] = "obligation"
    ending: Ending
    signatures: list[Signature] = []
    missing: list[str] = []

    def sentence(self, actor: str) -> str:
        if self.missing:
            return f"{self.title}: {self.ending.state}, says {actor}; still to sign: {', '.join(self.missing)}"
        return f"{self.title}: {self.ending.state} ({self.ending.reference or self.ending.reason or ''})"


class CustodyRecorded(Event):
    """Something was done with a piece of evidence; `to` is who has it now."""

    kind: Literal["custody"] = "custody"
    evidence: str
    event: Literal["received", "accessed", "transferred", "released"]
    reason: str
    to: str | None = None

    def sentence(self, actor: str) -> str:
        to = f" to {self.to}" if self.to else ""
        return f"Evidence {self.evidence} {self.event}{to}: {self.reason}"


class NoticeMoved(Event):
    """A notice is being sent (as number `sequence` of the incident), was sent, failed, or is not sent after all."""

    kind: Literal["notice"] = "notice"
    step: str
    status: Literal["sending", "sent", "failed", "skipped"]
    sequence: int | None = None
    reference: str | None = None
    text: str | None = None
    reason: str | None = None
    code: str | None = None

    def sentence(self, actor: str) -> str:
        match self.status:
            case "sending":
                return f"Sending: {self.step}"
            case "sent":
                return f"Sent: {self.text or self.step}"
            case "failed":
                return f"Not sent: {self.step}: {self.reason}"
            case _:
                return f"Not sent: {self.step} ({self.reason})"


class LedgerTold(Event):
    """What became of writing the record itself: it fails for minutes, goes again, or found another history there."""

    kind: Literal["ledger"] = "ledger"
    state: Literal["failing", "written-again", "forked"]
    epoch: int | None = None

    def sentence(self, actor: str) -> str:
        match self.state:
            case "failing":
                return "The ledger cannot be written; what happens meanwhile is kept and written later"
            case "written-again":
                return "The ledger is written again; nothing is missing in it"
            case _:
                return f"The ledger held another history of this incident: epoch {self.epoch} begins"


class ReportStored(Event, StoredReport):
    """Where the report of the ended incident is kept, or why nowhere."""

    kind: Literal["report"] = "report"

    def sentence(self, actor: str) -> str:
        return f"No report was stored: {self.reason}" if self.reason else f"Report stored: {', '.join(self.places)}"
