"""What the rules want done outside; the workflow does it and records how it went.

An effect names what it is about; everything else is read from the state when it is done.
"""

from typing import Any, Literal, NamedTuple

from domain.model.events import Message

Signal = Literal["commander_is", "cancel", "evidence_begun", "stand_ins_are"]


class Observe(NamedTuple):
    """Look at something by a probe of the runbook."""

    step: str


class Send(NamedTuple):
    """Reach one contact: page or mail `number` of the incident. A mail goes by mail before any other channel."""

    message: Message
    number: int


class SendNotice(NamedTuple):
    step: str


class StartChange(NamedTuple):
    """Start a change's workflow, at the beginning or where its record has come to; one that runs tells its news."""

    workflow_id: str


class LookUp(NamedTuple):
    """Ask the record what came of a change whose workflow is gone, and go on with it where it was begun."""

    workflow_id: str


class TellChanges(NamedTuple):
    """Let changes in flight know who commands or stands in, that they are cancelled, or that evidence is preserved."""

    workflow_ids: tuple[str, ...]
    signal: Signal
    payload: dict[str, Any] = {}  # noqa: RUF012 - never changed


class OpenIncident(NamedTuple):
    """Declare an incident of another type beside this one, or one of its own under a key."""

    type: str
    key: str | None = None


REPEATABLE = (Observe, Send, SendNotice, LookUp)
"""What may be done again where its answer was lost: a page may come twice, a notice looks first."""

Effect = Observe | Send | SendNotice | StartChange | LookUp | TellChanges | OpenIncident
