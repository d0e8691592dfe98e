"""Further alerts under the key of an incident that is still open."""

from datetime import datetime

from domain.model.timeline import bounded
from domain.rules.incident import Incident
from domain.rules.lifecycle import reopen
from domain.values.status import Status

_TEXT_MAX = 4000


def duplicate(incident: Incident, by: str, text: str, now: datetime) -> None:
    """Count a duplicate alert; one on a resolved incident reopens it. Of a very long text the beginning is kept."""
    incident.state.alerts += 1
    by, text = bounded(by), text if len(text) <= _TEXT_MAX else f"{text[: _TEXT_MAX - 1]}…"
    incident.record(now, by, "duplicate-alert", f"Duplicate alert: {text}", {"count": incident.state.alerts})
    if incident.state.status is Status.RESOLVED:
        reopen(incident, by, "the same alert came again", now)
