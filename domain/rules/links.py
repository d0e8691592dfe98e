"""Incidents that this one opens: beside it with its awareness, or of their own under an alert key."""

from collections.abc import Iterator

from domain.config.runbook import ProbeStep
from domain.model.effects import OpenIncident
from domain.model.event_kinds import Happening
from domain.model.finding import Finding
from domain.model.state import IncidentState
from domain.model.work_events import LinkAsked, Linked, LinkHeld
from domain.rules import paging


def because_of(state: IncidentState, step: ProbeStep, incident_type: str, finding: Finding) -> Iterator[Happening]:
    """Have opened what a suspect finding asks for: under a key one for each thing that is wrong, else one for all."""
    if step.key is None or not finding.wrong:
        yield from ask(state, incident_type, step.id, step.key, step.title, finding.summary)
        return
    for name, said in finding.wrong.items():
        yield from ask(state, incident_type, step.id, f"{step.key}:{name}", f"{step.title}: {name}", said)


def ask(
    state: IncidentState, incident_type: str, because: str, key: str | None, title: str, description: str
) -> Iterator[Happening]:
    """Have an incident opened, once; one without a key keeps this one's title."""
    if any((link.type, link.key) == (incident_type, key) for link in state.links):
        return
    told = {"key": key, "title": title, "description": description} if key else {}
    yield Happening(LinkAsked(type=incident_type, because=because, **told))
    if not state.declaration.may_open(incident_type):
        reason = f"its runbook did not come with this incident; declare it by hand: incident start {incident_type}"
        yield Happening(LinkHeld(type=incident_type, key=key, because=because, reason=reason))
        yield from paging.page_commander(state, f"{incident_type} must be declared by hand")


def opened(state: IncidentState, opening: OpenIncident, incident: str | None) -> Iterator[Happening]:
    """Put on record which incident was opened; none, where one of its key was open already."""
    because = state.link(*opening).because
    if incident is not None:
        yield Happening(Linked(incident=incident, type=opening.type, because=because, key=opening.key))
    elif opening.key is not None:
        yield Happening(LinkHeld(type=opening.type, key=opening.key, because=because))
