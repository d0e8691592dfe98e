"""The rules of one change: planned, voted on, applied, verified. They read no clock; they are told the time."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from domain.config.approval import ApprovalRule
from domain.config.organisation import Contact, Organisation
from domain.model.activity_io import Applied, Planned, Scope
from domain.model.commands import Approve, Cancel, Command, Reject
from domain.model.plan import Plan, plan_document
from domain.model.state import IN_FLIGHT, ChangeProgress, ChangeRecord, ChangeStatus, Clock, ProgressEntry, Vote
from domain.rules.voting import Electorate, rule_for


class ChangeRequest(BaseModel):
    """The Change workflow's argument.

    One that is `evidence` runs on the forensics queue. `wait_for_evidence` is how long applying waits at most
    for the evidence to be under way; None where it need not wait.
    """

    scope: Scope
    organisation: Organisation
    record: ChangeRecord
    title: str
    rule: ApprovalRule | None
    approve_within: timedelta
    commander: str | None
    undo: Plan | None = None
    evidence: bool = False
    wait_for_evidence: timedelta | None = None


class Window(BaseModel):
    """The time that the present voters have; half of it gone, they are paged again."""

    opened_at: datetime
    ends_at: datetime
    reminded: bool = False

    @property
    def half_at(self) -> datetime:
        return self.opened_at + (self.ends_at - self.opened_at) / 2


class Change:
    """One change under way. What it has to tell its incident is drained with `told`."""

    def __init__(self, request: ChangeRequest) -> None:
        self.request = request
        self.record = request.record
        self.commander = request.commander
        self.added: list[str] = []
        self.window: Window | None = None
        self.early: list[tuple[str, Command]] = []
        self._entries: list[ProgressEntry] = []
        self._page: list[str] = []
        self._page_reason = ""
        self._clock: Clock | None = None
        self._denied = False

    @property
    def ended(self) -> bool:
        return self.record.status not in IN_FLIGHT

    @property
    def electorate(self) -> Electorate:
        approval_class = self.record.plan.approval_class if self.record.plan else None
        organisation = self.request.organisation
        rule = rule_for(organisation, self.request.rule, approval_class) if approval_class else ApprovalRule(quorum=0)
        return Electorate(organisation, rule, self.record.requested_by, self.commander, tuple(self.added))

    def note(self, at: datetime, actor: str, kind: str, text: str, data: dict[str, Any] | None = None) -> None:
        self._entries.append(ProgressEntry(at=at, actor=actor, kind=kind, text=text, data=data or {}))

    def told(self) -> ChangeProgress:
        """Everything since the last telling."""
        progress = ChangeProgress(
            record=self.record.model_copy(deep=True),
            entries=self._entries,
            page=self._page,
            page_reason=self._page_reason,
            clock=self._clock,
            access_denied=self._denied,
        )
        self._entries, self._page, self._clock, self._denied = [], [], None, False
        return progress

    def planned(self, planned: Planned, now: datetime) -> None:
        """Take the plan: done already, dry run, nobody to ask, or the votes are opened."""
        plan = planned.plan
        self.record.plan = plan
        self.record.approval_class = plan.approval_class
        self.note(
            now,
            "orchestrator",
            "plan",
            f"Plan: {plan.summary}",
            {**plan_document(plan), "class": plan.approval_class.value},
        )
        if plan.changes_nothing:
            self.record.ours = planned.ours
            whose = "our own doing" if planned.ours else "not our doing"
            self.end(ChangeStatus.ALREADY_DONE, f"{plan.target} is so already ({whose})", now)
        elif self.request.scope.mode == "dry-run":
            self.end(ChangeStatus.PLANNED, "dry run: nothing is applied", now)
        elif self.electorate.rule.quorum == 0:
            self.apply(now)
        else:
            self.record.status = ChangeStatus.AWAITING_APPROVAL
            self._open_window(now, "approval needed")
        self._hear_early(now)

    def _hear_early(self, now: datetime) -> None:
        """Take what came before the plan; a change that has ended refuses it."""
        early, self.early = self.early, []
        for name, command in early:
            self.handle(name, command, now)

    def _open_window(self, now: datetime, reason: str) -> None:
        ends_at = now + self.request.approve_within
        self.window = Window(opened_at=now, ends_at=ends_at)
        self.record.expires_at = ends_at
        self._clock = Clock(due_at=ends_at)
        self._ask(reason)

    def _ask(self, reason: str) -> None:
        """Page whoever may vote and has not."""
        electorate = self.electorate
        voted = {vote.by for vote in self.record.approvals}
        self.record.eligible = list(electorate.roles)
        self._page = [voter for voter in electorate.voters() if voter not in voted]
        self._page_reason = f"{reason}: {self.request.title}"

    def next_due(self) -> datetime | None:
        """When the voters are paged again or their time is over; None when nobody is asked."""
        if self.record.status is not ChangeStatus.AWAITING_APPROVAL or self.window is None:
            return None
        return self.window.ends_at if self.window.reminded else self.window.half_at

    def fire(self, now: datetime) -> None:
        """Page again at half time; at the end add the chain's next level, and expire when there is none."""
        while (due := self.next_due()) is not None and due <= now and self.window is not None:
            if due < self.window.ends_at:
                self.window.reminded = True
                self._ask("approval still needed")
                continue
            chain = self.request.organisation.chain
            following = next((role for role in chain if role not in self.electorate.roles), None)
            if following is None:
                self._clock = Clock(due_at=self.window.ends_at, state="breached")
                self.end(ChangeStatus.EXPIRED, "nobody decided in time", now)
                return
            self.added.append(following)
            self.note(now, "orchestrator", "approval", f"No decision in time: {following} may decide too")
            self._open_window(max(now, self.window.ends_at), "approval escalated")

    def commander_is(self, contact: str) -> None:
        """Whoever commands now may vote where the commander may."""
        self.commander = contact
        if self.record.status is ChangeStatus.AWAITING_APPROVAL:
            self.record.eligible = list(self.electorate.roles)

    def handle(self, name: str, command: Command, now: datetime) -> str | None:
        """Take a vote or a cancellation; one that comes before the plan is kept. Refusals go on record."""
        if self.record.status is ChangeStatus.PLANNING and name != "cancel":
            self.early.append((name, command))
            self.note(now, command.by, "early", f"{name} came before the plan; kept until it is there")
            return None
        reason = self._refusal(name, command)
        if reason is not None:
            self.note(now, command.by, "refused", f"Refused {name}: {reason}", {"command": name})
            return reason
        who = self._voter(command.by)
        actor = who.id if who else command.by
        if isinstance(command, Cancel):
            self._settle("cancelled")
            self.end(ChangeStatus.CANCELLED, f"{actor} cancels: {command.reason}", now, actor)
        elif who is not None and isinstance(command, Approve | Reject):
            self._vote(who, command, now)
        return None

    def _refusal(self, name: str, command: Command) -> str | None:
        who = self._voter(command.by)
        if who is None:
            return f"{command.by!r} is no contact or role of {self.request.organisation.id}"
        if self.ended:
            return f"the change is {self.record.status}"
        if self.record.status not in {ChangeStatus.PLANNING, ChangeStatus.AWAITING_APPROVAL}:
            return f"the change is {self.record.status} already"
        if name == "cancel":
            return None
        return self._vote_refusal(who, command)

    def _voter(self, by: str) -> Contact | None:
        organisation = self.request.organisation
        if by == "incident-commander":
            return organisation.contact(self.commander) if self.commander else None
        return organisation.contact(by)

    def _vote_refusal(self, who: Contact, command: Command) -> str | None:
        electorate = self.electorate
        if who.id == self.record.requested_by:
            return f"{who.id} requested this change; somebody else must decide"
        if not electorate.roles_of(who):
            return f"{who.id} may not decide this; {' or '.join(electorate.roles)} may"
        if any(vote.by == who.id for vote in self.record.approvals):
            return f"{who.id} has voted already"
        plan = self.record.plan
        if isinstance(command, Approve) and plan is not None and command.digest != plan.digest:
            return f"the digest is not that of the plan to decide on ({plan.digest})"
        if isinstance(command, Approve) and electorate.free_role(who, self.record.approvals) is None:
            return f"every role of {who.id} has voted already; another role must agree"
        return None

    def _vote(self, who: Contact, command: Approve | Reject, now: datetime) -> None:
        electorate = self.electorate
        role = electorate.free_role(who, self.record.approvals) or electorate.roles_of(who)[0]
        if isinstance(command, Reject):
            self.record.approvals.append(Vote(by=who.id, role=role, decision="reject", at=now, comment=command.reason))
            self._settle("met")
            data = _told_vote(self.record.approvals[-1])
            self.end(ChangeStatus.REJECTED, f"{who.id} ({role}) rejects: {command.reason}", now, who.id, data)
            return
        vote = Vote(by=who.id, role=role, decision="approve", at=now, comment=command.comment)
        self.record.approvals.append(vote)
        said = f": {command.comment}" if command.comment else ""
        data = {"digest": command.digest, **_told_vote(vote)}
        self.note(now, who.id, "approval", f"{who.id} ({role}) approves{said}", data)
        if electorate.suffices(self.record.approvals):
            self._settle("met")
            self.apply(now)

    def _settle(self, state: Any) -> None:
        if self.window is not None:
            self._clock = Clock(due_at=self.window.ends_at, state=state)

    def apply(self, now: datetime) -> None:
        """Enough people agree: the plan is applied now."""
        self.record.status = ChangeStatus.APPLYING
        self.record.eligible = []
        self.record.expires_at = None
        status = {"status": self.record.status.value}
        self.note(now, "orchestrator", "change", f"Applying: {self.request.title}", status)

    def applied(self, applied: Applied, now: datetime) -> None:
        """Take what applying came to."""
        self.record.ours = applied.ours
        if applied.outcome == "stale":
            self.record.ours = None
            text = "somebody else changed the resource since the plan; nothing was applied"
            self.end(ChangeStatus.STALE, text, now, data={"observed": applied.observed})
        elif applied.outcome == "already-done" and not applied.ours:
            self.end(ChangeStatus.ALREADY_DONE, "somebody else has done it meanwhile", now)
        else:
            self.record.status = ChangeStatus.VERIFYING
            status = {"status": self.record.status.value, "ours": applied.ours}
            self.note(now, "orchestrator", "change", f"Applied, verifying: {self.request.title}", status)

    def failed(self, reason: str, now: datetime, *, denied: bool = False) -> None:
        self._denied = denied
        self.end(ChangeStatus.FAILED, reason, now)

    def end(
        self,
        status: ChangeStatus,
        reason: str,
        now: datetime,
        actor: str = "orchestrator",
        data: dict[str, Any] | None = None,
    ) -> None:
        """Finish with a status and the reason in one line."""
        self.record.status = status
        self.record.reason = reason
        self.record.eligible = []
        self.record.expires_at = None
        ended = {"status": status.value, "reason": reason, "ours": self.record.ours, **(data or {})}
        self.note(now, actor, "change", f"{self.request.title}: {status} - {reason}", ended)
        self._hear_early(now)


def _told_vote(vote: Vote) -> dict[str, Any]:
    """A vote as its entry tells it; who voted and when are the entry's own."""
    return vote.model_dump(mode="json", include={"role", "decision", "verified", "comment"})
