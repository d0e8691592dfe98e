"""Everything about an incident that changes while it is open. Only `rules/evolve.py` changes it, event by event."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from pydantic import BaseModel

from domain.config.delegation import lent
from domain.config.organisation import Contact, Organisation
from domain.config.severity_policy import SeverityPolicy
from domain.model.activity_io import About
from domain.model.declaration import Declaration
from domain.model.duty_records import FactRecord, ObligationRecord
from domain.model.events import Message
from domain.model.finding import FindingStatus
from domain.model.records import (
    ChangeRecord,
    Clock,
    FindingRecord,
    HandOver,
    Link,
    Mail,
    NoticeRecord,
    Page,
    Paging,
    StandIn,
    StatusChange,
    StoredReport,
    Task,
)
from domain.values.severity import Severity
from domain.values.status import FINAL, Status


class IncidentState(BaseModel):
    """What the timeline of an incident comes to. Fields are named as in the document of `incident show`.

    `unconfirmed` is what was so unusual that it was refused, and is taken when it is said again. `nonces` are those of
    the claims that were taken: none counts twice. `unproven` counts refusals of what nobody has proven to say, by the
    workflow that it was said to.

    Where the policy asks for signs of life, `commander_heard_at` is when whoever commands gave one last, and
    `commander_asked_at` when they were asked for one. With `lapsed` whoever acknowledges next commands.

    `statuses`, `severities` and `clocks` are its history; the moments are those that stand, so that a reopened incident
    has none, but for `first_acknowledged_at`. `delayed` are the changes of which people were told that they are not
    under way yet.
    """

    declaration: Declaration
    severity: Severity
    status: Status = Status.DECLARED
    commander: str | None = None
    commander_heard_at: datetime | None = None
    commander_asked_at: datetime | None = None
    lapsed: bool = False
    hand_over: HandOver | None = None
    first_acknowledged_at: datetime | None = None
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    statuses: list[StatusChange] = []
    severities: list[StatusChange] = []
    reopened: int = 0
    alerts: int = 1
    access_denied: bool = False
    stand_ins: list[StandIn] = []
    paging: Paging
    clocks: list[Clock] = []
    pages: list[Page] = []
    mails: list[Mail] = []
    mails_asked: int = 0
    findings: list[FindingRecord] = []
    changes: list[ChangeRecord] = []
    delayed: list[str] = []
    tasks: list[Task] = []
    notices: list[NoticeRecord] = []
    notices_begun: int = 0
    facts: list[FactRecord] = []
    obligations: list[ObligationRecord] = []
    links: list[Link] = []
    report: StoredReport | None = None
    unconfirmed: list[str] = []
    nonces: list[str] = []
    unproven: dict[str, int] = {}

    @property
    def id(self) -> str:
        return self.declaration.incident_id

    @property
    def type(self) -> str:
        return self.declaration.runbook.id

    @property
    def title(self) -> str:
        return self.declaration.title

    @property
    def declared_at(self) -> datetime:
        return self.declaration.declared_at

    @property
    def about(self) -> About:
        """What activities need to know of the incident."""
        return About(
            incident=self.id,
            type=self.type,
            title=self.title,
            severity=self.severity,
            mode=self.declaration.mode,
            declared_at=self.declared_at,
            environment=self.declaration.environment.name,
            speed=self.declaration.speed,
        )

    @property
    def policy(self) -> SeverityPolicy:
        return self.declaration.policy(self.severity)

    @property
    def ended(self) -> bool:
        return self.status in FINAL

    @property
    def live(self) -> bool:
        """Whether anything is done outside, and the record is kept; in a dry run neither."""
        return self.declaration.mode != "dry-run"

    @property
    def proofs(self) -> bool:
        """Whether who acts has to prove who they are: wherever something is done outside a sandbox."""
        return self.live and self.declaration.environment.kind != "sandbox"

    @property
    def upkeep(self) -> bool:
        """Whether it is work that was due by a schedule: nothing is wrong, nobody is paged, and it ends by itself."""
        return self.declaration.mode == "upkeep"

    @property
    def drill(self) -> bool:
        """Whether nothing is wrong but what was injected: people are told so first, and nobody outside is told."""
        return self.declaration.mode == "drill"

    @property
    def responding(self) -> bool:
        """Whether the symptoms still last: declared or acknowledged, not yet mitigated."""
        return self.status in {Status.DECLARED, Status.ACKNOWLEDGED}

    @property
    def chain(self) -> tuple[str, ...]:
        return self.declaration.organisation.chain

    def level_of(self, role: str) -> int:
        """Which level of the chain a role is; 0 for one that is none."""
        return self.chain.index(role) + 1 if role in self.chain else 0

    def scaled(self, duration: timedelta) -> timedelta:
        """Policy time as real time; a sandbox may run its policy clocks faster."""
        return duration / self.declaration.speed

    def who(self, name: str) -> Contact | None:
        """Find a contact by id or role, with the roles that they hold now; the commander's is whoever commands.

        A role's name means who holds it by the organisation's file, and no stand-in.
        """
        found = self.declaration.organisation.contact(name, self.commander)
        return None if found is None else self.organisation.contact(found.id)

    @property
    def organisation(self) -> Organisation:
        """The organisation as it was declared, in which stand-ins hold their roles too."""
        held = [(one.delegation.role, one.delegation.to) for one in self.stand_ins if one.in_force]
        return lent(self.declaration.organisation, held)

    def opening(self, link: Link, incident_id: str, now: datetime) -> Declaration:
        """The declaration of an incident that this one opens: who stands in here does so there. Raises `KeyError`."""
        known = tuple(one.delegation for one in self.stand_ins if not one.over)
        return self.declaration.model_copy(update={"delegations": known}).opening(link, incident_id, now)

    def stand_in(self, delegation: str) -> StandIn | None:
        """The delegation of this id."""
        return next((one for one in self.stand_ins if one.delegation.id == delegation), None)

    def holders(self, role: str) -> tuple[Contact, ...]:
        """Everybody who holds a role now, stand-ins too; the commander's is held by whoever commands."""
        return self.organisation.holders(role, self.commander)

    def letter(self, message: Message, number: int) -> Page | Mail:
        """The page or the mail of this number."""
        return self.pages[number - 1] if message == "page" else next(m for m in self.mails if m.number == number)

    def standing_clocks(self) -> list[Clock]:
        """Every clock as it stands: the latest run of each, in the order in which they first ran."""
        latest = {clock.name: clock for clock in self.clocks}
        return [clock for clock in latest.values() if not clock.dropped]

    def clock(self, name: str) -> Clock | None:
        """The latest run of a clock; None where the incident has none of this name."""
        found = next((clock for clock in reversed(self.clocks) if clock.name == name), None)
        return None if found is None or found.dropped else found

    def running(self) -> Iterator[Clock]:
        """The clocks that run now; those of approvals are kept by the change that asks."""
        return (clock for clock in self.clocks if clock.state == "running" and not clock.name.startswith("approval:"))

    def suspects(self) -> set[str]:
        """The probes that have found something suspect."""
        return {finding.step for finding in self.findings if finding.status is FindingStatus.SUSPECT}

    def link(self, incident_type: str, key: str | None) -> Link:
        """The incident of this type and key that was opened, or is to be."""
        return next(link for link in self.links if (link.type, link.key) == (incident_type, key))

    def task(self, step: str) -> Task:
        return next(task for task in self.tasks if task.step == step)

    def open_tasks(self) -> list[Task]:
        return [task for task in self.tasks if task.status == "open"]

    def fact(self, name: str) -> FactRecord | None:
        """A fact as it stands: the latest that was recorded."""
        return next((fact for fact in reversed(self.facts) if fact.fact == name), None)

    def standing_facts(self) -> list[FactRecord]:
        """Each fact as it was recorded last."""
        return list({fact.fact: fact for fact in self.facts}.values())

    def obligation(self, step: str) -> ObligationRecord:
        return next(record for record in self.obligations if record.step == step)

    def duty(self, obligation: str) -> ObligationRecord | None:
        """The duty of this id of the organisation's, if it has begun."""
        return next((record for record in self.obligations if record.obligation == obligation), None)

    def open_obligations(self) -> list[ObligationRecord]:
        return [record for record in self.obligations if record.state == "open"]

    def notice(self, step: str) -> NoticeRecord:
        return next(notice for notice in self.notices if notice.step == step)

    def change(self, workflow_id: str) -> ChangeRecord | None:
        return next((change for change in self.changes if change.workflow_id == workflow_id), None)

    def latest_change(self, step: str) -> ChangeRecord | None:
        return next((change for change in reversed(self.changes) if change.step == step), None)

    def changes_in_flight(self) -> list[ChangeRecord]:
        return [change for change in self.changes if change.in_flight]
