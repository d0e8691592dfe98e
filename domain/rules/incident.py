"""An incident: its declaration, its state, and what it wants done outside.

The rules in `clock`, `lifecycle` and `change_requests` are functions over it. They read no clock:
every one is told the time. All of it is deterministic.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from domain.config.organisation import COMMANDER, Contact
from domain.config.runbook import Moment, NoticeStep, Phase, TaskStep
from domain.model.declaration import Declaration
from domain.model.effects import Effect, SendPage
from domain.model.state import (
    IN_FLIGHT,
    ChangeRecord,
    Clock,
    FactRecord,
    IncidentState,
    NoticeRecord,
    Page,
    Paging,
    Task,
)
from domain.rules.telling import news, opening
from domain.values.severity import SeverityPolicy
from domain.values.status import FINAL, Status


class Incident:
    """One incident. `effects` is drained by the workflow after every call of a rule."""

    def __init__(self, declaration: Declaration, state: IncidentState) -> None:
        self.declaration = declaration
        self.state = state
        self.effects: list[Effect] = []

    @classmethod
    def declared(cls, declaration: Declaration) -> "Incident":
        """Begin an incident: clocks from `declared_at`, tasks and notices of its runbook, the first entry."""
        at = declaration.declared_at
        paging = Paging(base=at, next_at=at, reason="declared")
        incident = cls(declaration, IncidentState(severity=declaration.severity, paging=paging))
        for phase in declaration.runbook.phases:
            for step in phase.steps:
                if isinstance(step, TaskStep) and not step.opened_by:
                    incident.add_task(step, phase)
                elif isinstance(step, NoticeStep):
                    incident.state.notices.append(NoticeRecord(step=step.id, action=step.notice))
        incident.start_response_clocks(at)
        incident.moment("declared", at)
        incident.record(
            at,
            declaration.declared_by,
            "declared",
            f"{declaration.severity} {declaration.runbook.title} declared: {declaration.title}",
            opening(declaration, incident.state),
        )
        return incident

    @property
    def policy(self) -> SeverityPolicy:
        return self.declaration.policy(self.state.severity)

    @property
    def ended(self) -> bool:
        return self.state.status in FINAL

    @property
    def live(self) -> bool:
        """Whether people are paged and the outside is told; a dry run does neither."""
        return self.declaration.mode != "dry-run"

    def scaled(self, duration: timedelta) -> timedelta:
        return duration / self.declaration.speed

    def record(self, at: datetime, actor: str, kind: str, text: str, data: dict[str, Any] | None = None) -> None:
        self.state.timeline.append(at, actor, kind, text, {**(data or {}), **news(self.state)})

    def start_response_clocks(self, now: datetime) -> None:
        """Run the two clocks of a response, acknowledgement and progress, from `now`."""
        self.state.clocks["ack"] = Clock(due_at=now + self.policy.respond)
        self.state.clocks["progress"] = Clock(due_at=now + self.progress_due)

    @property
    def progress_due(self) -> timedelta:
        """How long an incident may stay unmitigated before the chain is engaged for that reason."""
        if self.policy.escalate > timedelta(0):
            return self.policy.escalate
        later = [level.unmitigated for level in self.policy.levels if level.unmitigated]
        return min(later, default=self.policy.respond)

    def moment(self, moment: Moment, now: datetime) -> None:
        """Start what waits for this moment: phases, their tasks' due dates, notices."""
        for phase in self.declaration.runbook.phases:
            if phase.starts != moment:
                continue
            if phase.within is not None:
                self.state.clocks[phase.id] = Clock(due_at=now + self.scaled(phase.within))
            for step in phase.steps:
                if isinstance(step, TaskStep) and not step.opened_by:
                    self.expect(self.task(step.id), step, now)
        self.arm_notices(moment, now)

    def add_task(self, step: TaskStep, phase: Phase) -> Task:
        """Ask for the work of a step."""
        task = Task(step=step.id, title=step.task, owner=step.owner, phase=phase.id, required=step.required)
        self.state.tasks.append(task)
        return task

    def expect(self, task: Task, step: TaskStep, now: datetime) -> None:
        """Count from `now` until when a task is due, and when its owner is reminded."""
        task.due_at = self._due(step, now)
        task.remind_at = task.due_at

    def _due(self, step: TaskStep, now: datetime) -> datetime | None:
        days = step.due_business_days.get(self.state.severity)
        if days is None:
            return None if step.due is None else now + self.scaled(step.due)
        if self.declaration.speed != 1:  # a day of a sandbox is too short to have a close of business
            return now + self.scaled(timedelta(days=days))
        return self.declaration.calendar.due(now, days)

    def arm_notices(self, moment: Moment, now: datetime) -> None:
        """Set the notices that wait for this moment going."""
        for step in self.declaration.runbook.steps():
            if isinstance(step, NoticeStep) and step.on == moment:
                notice = self.notice(step.id)
                notice.status, notice.due_at = "waiting", now + self.scaled(step.after)

    def skip_waiting_notices(self, reason: str, now: datetime) -> None:
        """Send nothing any more that was still to come."""
        for notice in self.state.notices:
            if notice.status == "waiting" and notice.due_at is not None:
                notice.status, notice.reason = "skipped", reason
                self.record(now, "orchestrator", "notice", f"Not sent: {notice.step} ({reason})", {"step": notice.step})

    def settle_clock(self, name: str, state: str) -> None:
        """End a running clock; a breached one stays breached."""
        clock = self.state.clocks.get(name)
        if clock is not None and clock.state == "running":
            self.state.clocks[name] = Clock.model_validate({"due_at": clock.due_at, "state": state})

    def page(self, contact: Contact, role: str, level: int, reason: str, now: datetime, ask: str | None = None) -> None:
        """Page one contact and put it on record; nothing happens in a dry run. `ask` is what the contact shall do."""
        if not self.live:
            return
        declaration = self.declaration
        self.state.pages.append(Page(at=now, to=contact.id, role=role, level=level, reason=reason))
        self.record(
            now,
            "orchestrator",
            "page",
            f"Paged {contact.id} ({role}): {reason}",
            {"to": contact.id, "role": role, "level": level, "reason": reason},
        )
        drill = "DRILL " if declaration.mode == "drill" else ""
        subject = f"{drill}[{self.state.severity}] {declaration.runbook.title} {declaration.incident_id}: {reason}"
        links = "\n".join(f"{board.title}: {board.url}" for board in declaration.organisation.dashboards)
        self.effects.append(
            SendPage(
                page_id=f"{declaration.incident_id}/page/{len(self.state.pages)}",
                contact=contact,
                role=role,
                subject=subject,
                body=f"{declaration.title}\n{ask or self._ask()}\n{links}",
            )
        )

    def remind(self, step: str, roles: Iterable[str], ask: str, subject: str, now: datetime) -> None:
        """Mail every holder of the roles once, and put it on record; a reminder is no page."""
        declaration = self.declaration
        people = {contact.id: (contact, role) for role in reversed([*roles]) for contact in self.holders(role)}
        for contact, role in reversed(people.values()):
            text = f"Reminded {contact.id} ({role}): {subject}"
            self.record(now, "orchestrator", "reminder", text, {"step": step, "to": contact.id, "role": role})
            if not self.live:
                continue
            self.state.mails_sent += 1
            drill = "DRILL " if declaration.mode == "drill" else ""
            self.effects.append(
                SendPage(
                    page_id=f"{declaration.incident_id}/mail/{self.state.mails_sent}",
                    contact=contact,
                    role=role,
                    subject=f"{drill}[{self.state.severity}] {declaration.incident_id}: {subject}",
                    body=ask,
                    by_mail=True,
                )
            )

    def _ask(self) -> str:
        if self.state.status is Status.DECLARED:
            return f"Acknowledge: incident ack {self.declaration.incident_id}"
        return f"Look: incident show {self.declaration.incident_id}"

    def page_role(self, role: str, level: int, reason: str, now: datetime, skip: set[str]) -> None:
        """Page every holder of a role who is not in `skip`, and add them to it."""
        for contact in self.declaration.organisation.holders(role):
            if contact.id not in skip:
                skip.add(contact.id)
                self.page(contact, role, level, reason, now)

    def holders(self, role: str) -> tuple[Contact, ...]:
        """Everybody who holds a role now; the commander's is held by whoever commands."""
        if role != COMMANDER:
            return self.declaration.organisation.holders(role)
        commander = self.who(role)
        return (commander,) if commander else ()

    def who(self, name: str) -> Contact | None:
        """Find a contact by id or role; the commander's role is whoever holds it."""
        if name == COMMANDER:
            return self.declaration.organisation.contact(self.state.commander) if self.state.commander else None
        return self.declaration.organisation.contact(name)

    def task(self, step: str) -> Task:
        return next(task for task in self.state.tasks if task.step == step)

    def fact(self, name: str) -> FactRecord | None:
        """A fact as it stands: the latest that was recorded."""
        return next((fact for fact in reversed(self.state.facts) if fact.fact == name), None)

    def notice(self, step: str) -> NoticeRecord:
        return next(notice for notice in self.state.notices if notice.step == step)

    def latest_change(self, step: str) -> ChangeRecord | None:
        return next((change for change in reversed(self.state.changes) if change.step == step), None)

    def changes_in_flight(self) -> list[ChangeRecord]:
        return [change for change in self.state.changes if change.status in IN_FLIGHT]

    def is_responding(self) -> bool:
        """Whether the symptoms still last: declared or acknowledged, not yet mitigated."""
        return self.state.status in {Status.DECLARED, Status.ACKNOWLEDGED}

    def waiting_for(self) -> list[str]:
        """The roles that something waits for now, for the list of incidents."""
        roles: list[str] = []
        if self.state.status is Status.DECLARED:
            roles += self.state.paging.paged
        for change in self.changes_in_flight():
            roles += change.eligible
        if self.state.status is Status.RESOLVED:
            roles += [task.owner for task in self.state.tasks if task.required and task.status == "open"]
            roles += self._duty_bound(signing=False)
        roles += self._duty_bound(signing=True)
        if not roles and not self.ended:
            roles.append(COMMANDER)
        return list(dict.fromkeys(roles))

    def _duty_bound(self, *, signing: bool) -> list[str]:
        """Who must still sign how a duty ends; or who owns one that nobody has proposed an end for."""
        roles: list[str] = []
        for record in self.state.obligations:
            obligation = self.declaration.obligations.obligation(record.obligation)
            if record.state != "open" or obligation is None or signing == (record.ending is None):
                continue
            roles += record.unsigned(obligation.signers) if signing else [obligation.owner]
        return roles
