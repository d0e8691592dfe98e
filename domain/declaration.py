"""What an incident is started with, and never changes."""

from datetime import datetime

from pydantic import BaseModel, Field

from domain.calls import Mode, Scope
from domain.environment import Environment
from domain.organisation import Organisation
from domain.runbook import Runbook
from domain.severity import Severity, SeverityPolicy


class Declaration(BaseModel):
    """An incident as it was declared. It carries its whole runbook: editing the YAML never changes it.

    `declared_at` is UTC. `speed` shortens every policy duration; only a sandbox takes another than 1.
    `history_limit` is the number of events after which the workflow carries on as a new run.
    """

    incident_id: str
    title: str
    description: str = ""
    severity: Severity
    declared_at: datetime
    declared_by: str
    key: str | None = None
    phi: bool = False
    mode: Mode = "live"
    speed: float = Field(default=1, gt=0)
    organisation: Organisation
    environment: Environment
    runbook: Runbook
    runbook_digest: str
    history_limit: int = Field(default=4000, gt=0)

    def policy(self, severity: Severity) -> SeverityPolicy:
        """The deadlines of a severity at this incident's speed."""
        return self.organisation.severities[severity].at_speed(self.speed)

    def scope(self, severity: Severity) -> Scope:
        """What activities need to know of the incident."""
        return Scope(
            incident=self.incident_id,
            type=self.runbook.id,
            title=self.title,
            severity=severity,
            mode=self.mode,
            declared_at=self.declared_at,
            environment=self.environment,
        )


class KeyHold(BaseModel):
    """Which incident an alert's key stands for while that incident is open."""

    incident_id: str


class Alert(BaseModel):
    """Another alert under the key of an open incident."""

    by: str
    text: str
