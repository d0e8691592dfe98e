"""How a notice ended."""

from datetime import datetime

from domain.rules.incident import Incident


def sent(incident: Incident, step: str, reference: str, text: str, now: datetime) -> None:
    """Put on record that a notice is out, and where to look it up."""
    notice = incident.notice(step)
    notice.status, notice.reference, notice.reason = "sent", reference, None
    incident.record(now, "orchestrator", "notice", f"Sent: {text}", {"step": step, "reference": reference})


def failed(incident: Incident, step: str, reason: str, now: datetime) -> None:
    """Put on record that a notice could not be sent; the incident goes on."""
    notice = incident.notice(step)
    notice.status, notice.reason = "failed", reason
    incident.record(now, "orchestrator", "notice", f"Not sent: {step}: {reason}", {"step": step})
