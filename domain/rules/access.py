"""What happens when AWS denies the automation access."""

from collections.abc import Iterator

from domain.model.event_kinds import Happening
from domain.model.events import AccessDenied
from domain.model.state import IncidentState
from domain.rules import paging
from domain.values.severity import Severity


def denied_access(state: IncidentState, action: str) -> Iterator[Happening]:
    """In the gravest incidents that is a page of its own, once an incident: people must act by hand."""
    if state.severity is not Severity.P0 or state.access_denied:
        return
    denied = AccessDenied(action=action)
    yield Happening(denied)
    roles = state.paging.paged or state.declaration.runbook.on_call
    yield from paging.page_roles(state, roles, denied.sentence(""))
