"""What can happen to an incident: one model a kind, with the sentence that people read.

An entry of the timeline holds one event: `kind` and the version `v` beside it, the other fields as `data`. Whatever
reads an incident folds these events (`rules/evolve.py`); nothing else is kept of it. A model whose shape changes gets
the next `V`, and `upcasts.py` says how the earlier shape is read.
"""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.model.declaration import Declaration
from domain.model.finding import FindingStatus
from domain.model.records import Ending, Signature
from domain.values.severity import Severity
from domain.values.timestamps import stamp

ORCHESTRATOR = "orchestrator"
"""Who does what happens by itself."""


class Event(BaseModel, ABC):
    """One thing that happened. Who did it and when stand in its entry."""

    model_config = ConfigDict(populate_by_name=True)

    V: ClassVar[int] = 1
    kind: str

    def data(self) -> dict[str, Any]:
        """Its fields as JSON values; what stands at its default is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude={"kind"}, exclude_defaults=True)

    @abstractmethod
    def sentence(self, actor: str) -> str:
        """What happened, in a line."""


def because(text: str, reason: str | None) -> str:
    return f"{text} ({reason})" if reason else text


class Declared(Event):
    """The beginning. It holds the declaration whole, so that the incident can be run again from its record alone."""

    kind: Literal["declared"] = "declared"
    declaration: Declaration

    def data(self) -> dict[str, Any]:
        """All of it: a default that changes one day must not change an incident of the past."""
        return self.model_dump(mode="json", by_alias=True, exclude={"kind"})

    def sentence(self, actor: str) -> str:
        declared = self.declaration
        return f"{declared.severity} {declared.runbook.title} declared: {declared.title}"


class Restored(Event):
    """The incident goes on from its record, under a new term. What happened after `until` was not on record."""

    kind: Literal["restored"] = "restored"
    term: int
    entries: int
    until: datetime

    def sentence(self, actor: str) -> str:
        return (
            f"Restored from its record, as term {self.term}: {self.entries} entries up to {stamp(self.until)}. What "
            "happened between then and now may be missing; a page of that time may come twice"
        )


class Acknowledged(Event):
    kind: Literal["acknowledged"] = "acknowledged"
    commander: str
    joins: bool = False

    def sentence(self, actor: str) -> str:
        return f"{actor} {'joins' if self.joins else 'acknowledges'}; {self.commander} commands"


class Noted(Event):
    kind: Literal["note"] = "note"
    text: str

    def sentence(self, actor: str) -> str:
        return self.text


class Mitigated(Event):
    kind: Literal["mitigated"] = "mitigated"
    reason: str

    def sentence(self, actor: str) -> str:
        return f"Mitigated: {self.reason}"


class Resolved(Event):
    kind: Literal["resolved"] = "resolved"
    reason: str

    def sentence(self, actor: str) -> str:
        return f"Resolved: {self.reason}"


class Reopened(Event):
    kind: Literal["reopened"] = "reopened"
    reason: str

    def sentence(self, actor: str) -> str:
        return f"Reopened: {self.reason}"


class FalseAlarm(Event):
    kind: Literal["false-alarm"] = "false-alarm"
    reason: str

    def sentence(self, actor: str) -> str:
        return f"False alarm: {self.reason}"


class Closed(Event):
    """The end. A dry run, of which nothing is kept, has no `keep_until`."""

    kind: Literal["closed"] = "closed"
    keep_until: datetime | None = None

    def sentence(self, actor: str) -> str:
        if self.keep_until is None:
            return "Dry run ended: nothing was changed"
        until = stamp(self.keep_until)
        return f"Closed by {actor}. The record and its evidence are kept until {until}, longer under a legal hold"


class SeverityChanged(Event):
    kind: Literal["severity"] = "severity"
    before: Severity = Field(alias="from")
    after: Severity = Field(alias="to")
    reason: str

    def sentence(self, actor: str) -> str:
        verb = "raises" if self.after.above(self.before) else "lowers"
        return f"{actor} {verb} {self.before} to {self.after}: {self.reason}"


class AlertRepeated(Event):
    kind: Literal["duplicate-alert"] = "duplicate-alert"
    text: str

    def sentence(self, actor: str) -> str:
        return f"Duplicate alert: {self.text}"


class Refused(Event):
    """A command was refused. One to a change names its `step` and its workflow."""

    kind: Literal["refused"] = "refused"
    command: str
    reason: str
    step: str | None = None
    workflow_id: str | None = None

    def sentence(self, actor: str) -> str:
        return f"Refused {self.command}: {self.reason}"


class PagingRound(Event):
    """Who is to be paged now, as roles: those on call, and the chain up to `level`. The next round is at `next_at`."""

    kind: Literal["paging"] = "paging"
    roles: list[str]
    level: int
    next_at: datetime | None = None
    reason: str

    def sentence(self, actor: str) -> str:
        return f"Paging {', '.join(self.roles) or 'nobody'}: {self.reason}"


class PageAsked(Event):
    """One contact is to be paged: page `number` of the incident. Whether it went out, its `Delivered` says."""

    kind: Literal["page"] = "page"
    number: int
    to: str
    role: str
    level: int
    reason: str
    about: str | None = None

    def sentence(self, actor: str) -> str:
        return f"Paging {self.to} ({self.role}): {self.reason}"


class Recipient(BaseModel):
    """Who is mailed, as the holder of which role; `mail` numbers the mails of an incident, a dry run sends none."""

    to: str
    role: str
    mail: int | None = None


class Reminded(Event):
    """A task or duty is overdue or due soon: its people are mailed. `nth` counts the reminders of one duty."""

    kind: Literal["reminder"] = "reminder"
    step: str
    subject: str
    to: list[Recipient] = []
    nth: int | None = None

    def sentence(self, actor: str) -> str:
        people = ", ".join(f"{one.to} ({one.role})" for one in self.to)
        return f"Reminding {people}: {self.subject}" if people else self.subject


Message = Literal["page", "mail"]


class Delivered(Event):
    """A page or a mail went out: by which channel, under which id of the provider."""

    kind: Literal["delivery"] = "delivery"
    message: Message
    number: int
    to: str
    channel: str
    reference: str

    def sentence(self, actor: str) -> str:
        return f"{'Paged' if self.message == 'page' else 'Mailed'} {self.to} by {self.channel}"


class DeliveryFailed(Event):
    kind: Literal["page-failed"] = "page-failed"
    message: Message
    number: int
    to: str
    reason: str

    def sentence(self, actor: str) -> str:
        return f"{self.to} could not be {'paged' if self.message == 'page' else 'mailed'}: {self.reason}"


class DeadlineMissed(Event):
    kind: Literal["clock"] = "clock"
    clock: str

    def sentence(self, actor: str) -> str:
        return f"Deadline missed: {self.clock}"


class AccessDenied(Event):
    """AWS denied the automation access: in the gravest incidents a page of its own, once an incident."""

    kind: Literal["access-denied"] = "access-denied"
    action: str

    def sentence(self, actor: str) -> str:
        return f"AWS denies the automation access ({self.action})"


class Found(Event):
    """What a probe saw."""

    kind: Literal["finding"] = "finding"
    step: str
    title: str
    action: str
    status: FindingStatus
    summary: str
    facts: dict[str, Any] = {}
    evidence: str | None = None

    def sentence(self, actor: str) -> str:
        return f"{self.title}: {self.status} - {self.summary}"


class Suggested(Event):
    """A finding speaks for a change. People decide."""

    kind: Literal["suggestion"] = "suggestion"
    step: str
    title: str
    because: str

    def sentence(self, actor: str) -> str:
        return f"Suggested because of {self.because}: {self.title} ({self.step})"


class LinkAsked(Event):
    """An incident of another type is to be opened beside this one."""

    kind: Literal["linking"] = "linking"
    type: str
    because: str

    def sentence(self, actor: str) -> str:
        return f"Opening an incident of type {self.type} because of {self.because}"


class Linked(Event):
    kind: Literal["linked"] = "linked"
    incident: str
    type: str
    because: str

    def sentence(self, actor: str) -> str:
        return f"Opened {self.incident} ({self.type}) because of {self.because}; it keeps this incident's awareness"


class TaskOpened(Event):
    """Work that a finding or an applied change asks for."""

    kind: Literal["task-opened"] = "task-opened"
    step: str
    because: str
    title: str
    owner: str

    def sentence(self, actor: str) -> str:
        return f"{self.title}: for {self.owner}, because of {self.because}"


class TaskEnded(Event):
    kind: Literal["task"] = "task"
    step: str
    title: str
    status: Literal["done", "waived"]
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

    def sentence(self, actor: str) -> str:
        return f"Deadline missed: {self.title}"


class DutySigned(_Duty):
    """How a duty ends is proposed or signed; the last signature that is needed ends it (`missing` is empty)."""

    kind: Literal["obligation"] = "obligation"
    ending: Ending
    signatures: list[Signature] = []
    missing: list[str] = []

    def sentence(self, actor: str) -> str:
        if self.missing:
            return (
                f"{self.title}: {self.ending.state} proposed or signed by {actor}; still to sign: "
                f"{', '.join(self.missing)}"
            )
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


class ReportStored(Event):
    """Where the report of the ended incident is kept, or why nowhere."""

    kind: Literal["report"] = "report"
    places: tuple[str, ...] = ()
    reason: str | None = None

    def sentence(self, actor: str) -> str:
        return f"No report was stored: {self.reason}" if self.reason else f"Report stored: {', '.join(self.places)}"
