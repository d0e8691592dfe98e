"""What can happen to an incident: one model a kind, with the sentence that people read.

An entry of the timeline holds one event: `kind` and the version `v` beside it, the other fields as `data`. Whatever
reads an incident folds these events (`rules/evolve.py`); nothing else is kept of it. A model whose shape changes gets
the next `V`, and `upcasts.py` says how the earlier shape is read.
"""

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.config.drill import DrillCut
from domain.model.declaration import Declaration
from domain.values.instants import Instant
from domain.values.severity import Severity
from domain.values.timestamps import stamp

ORCHESTRATOR = "orchestrator"
"""Who does what happens by itself."""


class Event(BaseModel):
    """One thing that happened. Who did it and when stand in its entry."""

    model_config = ConfigDict(populate_by_name=True)

    V: ClassVar[int] = 1
    says: ClassVar[str] = ""
    kind: str

    def data(self) -> dict[str, Any]:
        """Its fields as JSON values; what stands at its default is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude={"kind"}, exclude_defaults=True)

    def sentence(self, actor: str) -> str:
        """What happened, in a line: `says`, with the event's own fields in it."""
        return self.says.format(actor=actor, **dict(self))


def because(text: str, reason: str | None) -> str:
    return f"{text} ({reason})" if reason else text


class Declared(Event):
    """The beginning. It holds the declaration whole, so that the incident can be run again from its record alone."""

    kind: Literal["declared"] = "declared"
    declaration: Declaration

    says: ClassVar[str] = "{declaration.severity} {declaration.runbook.title} declared: {declaration.title}"

    def data(self) -> dict[str, Any]:
        """All of it: a default that changes one day must not change an incident of the past."""
        return self.model_dump(mode="json", by_alias=True, exclude={"kind"})


class Restored(Event):
    """The incident goes on from its record, under a new term. What happened after `until` was not on record.

    `watched` says of each silence before it what the watcher did, oldest first.
    """

    kind: Literal["restored"] = "restored"
    term: int
    entries: int
    until: datetime
    watched: tuple[str, ...] = ()

    def sentence(self, actor: str) -> str:
        said = (
            f"Restored from its record, as term {self.term}: {self.entries} entries up to {stamp(self.until)}. What "
            "happened between then and now may be missing; a page of that time may come twice"
        )
        return ". ".join((said, *self.watched))


class Acknowledged(Event):
    kind: Literal["acknowledged"] = "acknowledged"
    commander: str
    joins: bool = False

    def sentence(self, actor: str) -> str:
        return f"{actor} {'joins' if self.joins else 'acknowledges'}; {self.commander} commands"


class Noted(Event):
    """`unsigned` is one of which nothing proves who wrote it, where that is asked for."""

    kind: Literal["note"] = "note"
    text: str
    unsigned: bool = False

    def sentence(self, actor: str) -> str:
        return f"{self.text} (unsigned)" if self.unsigned else self.text


class Mitigated(Event):
    kind: Literal["mitigated"] = "mitigated"
    reason: str
    says: ClassVar[str] = "Mitigated: {reason}"


class Resolved(Event):
    kind: Literal["resolved"] = "resolved"
    reason: str
    says: ClassVar[str] = "Resolved: {reason}"


class Reopened(Event):
    kind: Literal["reopened"] = "reopened"
    reason: str
    says: ClassVar[str] = "Reopened: {reason}"


class FalseAlarm(Event):
    kind: Literal["false-alarm"] = "false-alarm"
    reason: str
    says: ClassVar[str] = "False alarm: {reason}"


class Closed(Event):
    """The end. A dry run, of which nothing is kept, has no `keep_until`."""

    kind: Literal["closed"] = "closed"
    keep_until: datetime | None = None

    def sentence(self, actor: str) -> str:
        if self.keep_until is None:
            return "Dry run ended: nothing was changed"
        until = stamp(self.keep_until)
        return f"Closed by {actor}. The record and its evidence are kept until {until}, longer under a legal hold"


class DrillEnded(Event):
    """The end of a drill that people did not end themselves. Nothing is asked of anybody any more."""

    kind: Literal["drill-ended"] = "drill-ended"
    outcome: DrillCut = "time-box"
    reason: str
    says: ClassVar[str] = "The drill is over: {reason}"


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
    says: ClassVar[str] = "Duplicate alert: {text}"


class Refused(Event):
    """A command was refused. One to a change names its `step` and its workflow.

    `confirm` names what is taken when the same is said again. What is `unproven` is not signed by who says it. What
    came from `outside` is no command: a request to Temporal itself to cancel, or what only ours say, and none of ours
    said.
    """

    kind: Literal["refused"] = "refused"
    command: str
    reason: str
    step: str | None = None
    workflow_id: str | None = None
    confirm: str | None = None
    unproven: bool = False
    outside: bool = False
    says: ClassVar[str] = "Refused {command}: {reason}"


class RefusalsCounted(Event):
    """Further commands were refused since `since`: so many of each, beside those that stand on record one by one."""

    kind: Literal["refusals-counted"] = "refusals-counted"
    since: Instant
    counts: dict[str, int]
    step: str | None = None
    workflow_id: str | None = None

    def sentence(self, actor: str) -> str:
        told = ", ".join(f"{number} {name}" for name, number in self.counts.items())
        return f"{sum(self.counts.values())} more commands refused since {stamp(self.since)}, counted only: {told}"


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
    says: ClassVar[str] = "Paging {to} ({role}): {reason}"


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
    """A provider took a page or a mail: by which channel, under which id.

    That is no sign that it arrived: spend limits, carriers, bounces and suppressed addresses are told in the provider's
    delivery logs and events alone, by that id.
    """

    V = 2  # 1 called the id `reference`

    kind: Literal["delivery"] = "delivery"
    message: Message
    number: int
    to: str
    channel: str
    message_id: str

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
    says: ClassVar[str] = "Deadline missed: {clock}"


class AccessDenied(Event):
    """AWS denied the automation access: in the gravest incidents a page of its own, once an incident."""

    kind: Literal["access-denied"] = "access-denied"
    action: str
    says: ClassVar[str] = "AWS denies the automation access ({action})"
