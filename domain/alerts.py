"""Further alerts under the key of an incident that is still open."""

from datetime import datetime

from domain.incident import Incident
from domain.incident_state import Status
from domain.lifecycle import reopen


def duplicate(incident: Incident, by: str, text: str, now: datetime) -> None:
    """Count a duplicate alert; one on a resolved incident reopens it."""
    incident.state.alerts += 1
    incident.record(now, by, "duplicate-alert", f"Duplicate alert: {text}", {"count": incident.state.alerts})
    if incident.state.status is Status.RESOLVED:
        reopen(incident, by, "the same alert came again", now)
