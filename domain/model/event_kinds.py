"""Every kind of event, and how an entry of the timeline is read as its event again."""

from datetime import datetime
from typing import Any, NamedTuple

from domain.model import change_events, command_events, delegation_events, events, work_events
from domain.model.events import ORCHESTRATOR, Event
from domain.model.timeline import Entry
from domain.model.upcasts import upcast


class Happening(NamedTuple):
    """An event before it has a place in a timeline. `at` is now where it is left out."""

    event: Event
    actor: str = ORCHESTRATOR
    at: datetime | None = None
    cause: dict[str, Any] | None = None


def _kinds(*modules: Any) -> dict[str, type[Event]]:
    found = [one for module in modules for one in vars(module).values() if isinstance(one, type)]
    return {
        kind: one
        for one in found
        if issubclass(one, Event) and isinstance(kind := one.model_fields["kind"].default, str)
    }


KINDS = _kinds(events, work_events, change_events, command_events, delegation_events)
COUNTED = frozenset(
    {
        "acknowledged",
        "task",
        "fact",
        "obligation",
        "custody",
        "severity",
        "mitigated",
        "resolved",
        "reopened",
        "closed",
        "false-alarm",
        "drill-ended",
        "hand-over",
        "command-taken",
        "delegated",
        "delegation-ended",
    }
)
"""Kinds that count: outside a sandbox an entry of them holds the proof of whoever did it, or happens by itself."""

ENDING = frozenset({"closed", "false-alarm", "drill-ended"})
"""After an event of these nothing is done for the incident any more, but for the work that it leaves."""


def event_of(entry: Entry) -> Event | None:
    """The event of an entry, read as today's shape of its kind; None for a kind that this version does not know.

    Raises `pydantic.ValidationError` for what cannot be read.
    """
    model = KINDS.get(entry.kind)
    return None if model is None else model.model_validate({**upcast(entry.kind, entry.v, entry.data)})
