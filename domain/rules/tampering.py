"""What comes past all that people can say to an incident: it is refused, on record, and paged."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.model.event_kinds import Happening
from domain.model.events import Refused
from domain.model.state import IncidentState
from domain.rules import paging
from domain.rules.refusals import PAGED

UNKNOWN = "unknown"
"""Who asked for it: Temporal names nobody."""


_CANCEL = "cancel"


def cancelled() -> Refused:
    """That a workflow was to be cancelled, and goes on."""
    reason = "workflows are not cancelled: people end an incident, or cancel a change, by their commands"
    return Refused(command=_CANCEL, reason=reason, outside=True)


def forged(what: str, reason: str) -> Refused:
    """That what only ours say came from none of ours."""
    return Refused(command=what, reason=reason, outside=True)


def is_cancel(event: Any) -> bool:
    """Whether it says that a workflow was to be cancelled, of which its incident pages."""
    return isinstance(event, Refused) and event.outside and event.command == _CANCEL


def is_forged(kind: str, data: Mapping[str, Any]) -> bool:
    """Whether an entry says that what only ours say came from none of ours, of which the hands take note."""
    return kind == "refused" and data.get("outside") is True and data.get("command") != _CANCEL


def tell(state: IncidentState, what: str) -> Iterator[Happening]:
    """Page whoever sees to security, by the organisation's file."""
    yield from paging.page_roles(state, [state.declaration.organisation.guard], f"somebody tampers: {what}")


def unproven(state: IncidentState, event: Any) -> Iterator[Happening]:
    """Page about the second time that nobody has proven who they are to one workflow: once, however many follow."""
    if isinstance(event, Refused) and event.unproven and state.unproven[event.workflow_id or state.id] == PAGED:
        about = event.step or "the incident"
        yield from tell(state, f"for the second time {event.command} of {about} was not proven to be whose it said")


def cancel_refused(state: IncidentState) -> Iterator[Happening]:
    """Put on record that this incident's own workflow was to be cancelled, and page."""
    yield Happening(cancelled(), UNKNOWN)
    yield from tell(state, "the incident was to be cancelled")
