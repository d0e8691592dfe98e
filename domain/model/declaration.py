"""What an incident is started with, and never changes."""

from datetime import datetime

from pydantic import BaseModel, Field

from domain.config.delegation import Delegation
from domain.config.drill import Exercise
from domain.config.environment import Environment
from domain.config.obligation import Obligations
from domain.config.organisation import Organisation
from domain.config.reviews import REVIEW, review
from domain.config.runbook import Runbook
from domain.config.severity_policy import SeverityPolicy
from domain.model.activity_io import Mode
from domain.model.preauthorised import PreAuthorised
from domain.model.proofs import RunbookApproval
from domain.model.records import Link
from domain.values import ids
from domain.values.business_days import BusinessCalendar
from domain.values.severity import Severity


class Nominal(BaseModel):
    """A run of a schedule: the instant that it was due, and those since the last run, until it began, that had none."""

    schedule: str
    at: datetime
    missed: tuple[datetime, ...] = ()


class Declaration(BaseModel):
    """An incident as it was declared. It carries its whole runbook: editing the YAML never changes it.

    `declared_at` is UTC. `speed` shortens every policy duration; only a sandbox takes another than 1.
    `related` holds the runbooks of incidents that a finding may open, and in a review those that are reviewed. One that
    was opened so names the incident it came from in `opened_by`, and `aware_at` is when that one was declared: legal
    clocks count from there.
    `approvals` are the signatures under its runbook's version, and under those of `related`. `lacking` are the roles
    that have to sign its own yet, as whoever declared it knew: production takes no declaration that hides it.
    `preauthorisations` are those in force in its environment, for its own type and those of `related`.
    `delegations` are those that stand or begin later, each with what proves it.
    `obligations` are the organisation's, of every type of incident; `calendar` says which days people work.
    `scheduled` says which run of which schedule it is, `drill` what a drill is scored by.
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
    related: dict[str, Runbook] = {}
    approvals: tuple[RunbookApproval, ...] = ()
    lacking: tuple[str, ...] = ()
    preauthorisations: tuple[PreAuthorised, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    obligations: Obligations = Obligations()
    calendar: BusinessCalendar = BusinessCalendar()
    aware_at: datetime | None = None
    opened_by: str | None = None
    scheduled: Nominal | None = None
    drill: Exercise | None = None
    history_limit: int = Field(default=4000, gt=0)

    @property
    def holder(self) -> str | None:
        """The workflow that stands for the alert's key while the incident is open; None without a key."""
        return None if self.key is None else ids.key_workflow_id(self.environment.name, self.key)

    @property
    def approved_by(self) -> tuple[RunbookApproval, ...]:
        """The signatures under its own runbook."""
        return tuple(one for one in self.approvals if one.claim.subject == self.runbook_digest)

    def policy(self, severity: Severity) -> SeverityPolicy:
        """The deadlines of a severity at this incident's speed."""
        return self.organisation.severities[severity].at_speed(self.speed)

    def may_open(self, incident_type: str) -> bool:
        """Whether it came with the runbook of a type that is to be opened beside it."""
        return incident_type == REVIEW or incident_type in self.related

    def opening(self, link: Link, incident_id: str, now: datetime) -> "Declaration":
        """The declaration of an incident that this one opens. Raises `KeyError`.

        It keeps this one's first awareness; one under a key is of its own, and no upkeep any more, but for the review
        of this one's runbook.
        """
        reviews = link.type == REVIEW
        runbook = review([self.runbook]) if reviews else self.related[link.type]
        own = {"aware_at": None, "title": link.title or self.title, "description": link.description}
        return self.model_copy(
            update={
                "incident_id": incident_id,
                "severity": min(runbook.severities),
                "declared_at": now,
                "mode": "upkeep" if reviews else "live" if self.mode == "upkeep" else self.mode,
                "opened_by": self.incident_id,
                "key": link.key,
                "scheduled": None,
                "drill": None,
                "lacking": (),
                **(own if link.key else {"aware_at": self.aware_at or self.declared_at}),
                "runbook": runbook,
                "runbook_digest": runbook.digest(),
                "related": {self.runbook.id: self.runbook}
                if reviews
                else {name: one for name, one in self.related.items() if name != link.type},
            }
        )


class KeyHold(BaseModel):
    """Which incident an alert's key stands for while that incident is open; so much that it heard was refused."""

    incident_id: str
    refused: int = 0


class KeyRelease(BaseModel):
    """Gives a key back, of which `released` is the incident: the id has a name that no `KeyHold` has.

    What a key was begun with is sealed by ours too, and is no release.
    """

    released: str


class Alert(BaseModel):
    """Another alert under the key of an open incident."""

    by: str
    text: str
