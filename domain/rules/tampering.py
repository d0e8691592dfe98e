"""What comes past all that people can say to an incident: it is refused, on record, and paged."""

from collections.abc import Iterator

from domain.model.event_kinds import Happening
from domain.model.events import Refused
from domain.model.state import IncidentState
from domain.rules import paging

UNKNOWN = "unknown"
"""Who asked for it: Temporal names nobody."""


def cancelled() -> Refused:
    """That a workflow was to be cancelled, and goes on."""
    reason = "workflows are not cancelled: people end an incident, or cancel a change, by their commands"
    return Refused(command="cancel", reason=reason, outside=True)


def tell(state: IncidentState, what: str) -> Iterator[Happening]:
    """Page whoever sees to security, by the organisation's file."""
    yield from paging.page_roles(state, [state.declaration.organisation.guard], f"somebody tampers: {what}")


def cancel_refused(state: IncidentState) -> Iterator[Happening]:
    """Put on record that this incident's own workflow was to be cancelled, and page."""
    yield Happening(cancelled(), UNKNOWN)
    yield from tell(state, "the incident was to be cancelled")
