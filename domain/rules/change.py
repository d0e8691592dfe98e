"""The rules of one change: planned, voted on, applied, verified. They read no clock; they are told the time."""

from datetime import datetime, timedelta
from typing import Any

from domain.config.approval import ApprovalRule
from domain.config.delegation import standing
from domain.config.organisation import Contact, Organisation
from domain.model.activity_io import Applied, GivenUp, Planned
from domain.model.change_events import (
    ApprovalAsked,
    ChangeMoved,
    ElectorateChanged,
    EvidenceForgone,
    PlanMade,
    VoteCast,
    VoteKept,
    pieces_of,
    pieces_told,
)
from domain.model.commands import CHANGE_COMMANDS, Approve, BreakGlass, Cancel, Command, Reject
from domain.model.events import ORCHESTRATOR, RefusalsCounted, Refused
from domain.model.plan import Plan
from domain.model.preauthorised import StartedBy
from domain.model.records import ChangeStatus, EarlyVote, Vote
from domain.rules import tampering
from domain.rules.ballots import Ballots
from domain.rules.change_messages import CarriedChange, ChangeHappening, ChangeNews, ChangeRequest, Life, StandIns
from domain.rules.change_news import ChangesNews
from domain.rules.decide import cause_of
from domain.rules.evolve_changes import alter
from domain.rules.paging import deadline
from domain.rules.preauthorised import refused_plan
from domain.rules.refusing import Refusing
from domain.rules.voting import Electorate, counting, rule_for

_GIVEN = 4000
"""How many bytes of what was given to a refused command are kept: it may come fifty times an hour."""


class LiveChange(Refusing):
    """One change under way. What it has to say to its incident is drained with `news`."""

    def __init__(self, request: ChangeRequest) -> None:
        super().__init__(request.carried.refusals if request.carried else None)
        self.request, self.commander = request, request.commander
        self.record = request.record.model_copy(deep=True)
        carried = request.carried
        self.said = ChangesNews(self.record.workflow_id, carried.news if carried else [], request.told)
        self._commander_since = (carried and carried.commander_since) or self.record.requested_at
        self._organisation = request.organisation

    @property
    def ended(self) -> bool:
        return not self.record.in_flight

    def _as_of(self, now: datetime) -> None:
        """From here on whoever stands in now holds the role too."""
        self._organisation = self._people(now)

    def _people(self, at: datetime) -> Organisation:
        named = {self.record.requested_by, *(vote.by for vote in self.record.approvals)}
        return standing(self.request.organisation, self.request.delegations, at, named)

    @property
    def electorate(self) -> Electorate:
        return self._electorate(*self.record.added)

    def _electorate(self, *added: str) -> Electorate:
        approval_class = self.record.plan.approval_class if self.record.plan else None
        organisation = self._organisation
        rule = rule_for(organisation, self.request.rule, approval_class) if approval_class else ApprovalRule(quorum=0)
        return Electorate(organisation, rule, self.record.requested_by, self.commander, added)

    def news(self) -> ChangeNews | None:
        """What happened since the last call, as much as is told at once; None when nothing did."""
        return self.said.next_part()

    def next_run(self, now: datetime, *, by_signal: bool, wait_for_evidence: timedelta | None) -> ChangeRequest:
        """What the next run of its workflow goes on with."""
        self.tell_refusals(now)
        carried = CarriedChange(
            news=self.said.events, refusals=self.refusals, by_signal=by_signal, commander_since=self._commander_since
        )
        given = {"record": self.record, "commander": self.commander, "wait_for_evidence": wait_for_evidence}
        return self.request.model_copy(update={**given, "told": self.said.told, "carried": carried})

    def goes_on(self, life: Life) -> None:
        """Act for this life of the incident from now on, and say what it has not heard; an earlier one says nothing."""
        if life.term >= self.request.term:
            self.said.say_again(life.heard)
        self.request = self.request.model_copy(update={"term": max(life.term, self.request.term)})

    def _take(
        self, now: datetime, cause: dict[str, Any], kind: type[Any], actor: str = ORCHESTRATOR, **fields: Any
    ) -> None:
        """Let an event happen: it alters the record, and the incident will hear of it."""
        event = kind(step=self.record.step, workflow_id=self.record.workflow_id, **fields)
        alter(self.record, now, actor, event)
        self.said.add(ChangeHappening(at=now, actor=actor, event=event, cause=cause))

    def planned(self, planned: Planned, now: datetime) -> None:
        """Take the plan: done already, dry run, nobody to ask, or the votes are opened."""
        self._as_of(now)
        plan, early = planned.plan, self.record.early
        cause = {"answer": "plan"}
        self._take(now, cause, PlanMade, plan=plan)
        if plan.changes_nothing:
            whose = "our own doing" if planned.ours else "not our doing"
            reason = f"{plan.target} is so already ({whose})"
            self.move(ChangeStatus.ALREADY_DONE, now, cause, reason=reason, ours=planned.ours)
        elif self.request.about.mode == "dry-run":
            self.move(ChangeStatus.PLANNED, now, cause, reason="dry run: nothing is applied")
        elif self.record.preauthorised is not None:
            self._by_preauthorisation(plan, self.record.preauthorised, now, cause)
        elif self.electorate.own and self.record.requested_by == ORCHESTRATOR:  # what is evidence cannot wait
            self.move(ChangeStatus.APPLYING, now, cause)
        else:
            self._ask(now, cause, now + self.request.approve_within)
        for vote in early:
            self._hear_early(vote, now)

    def _by_preauthorisation(self, plan: Plan, by: StartedBy, now: datetime, cause: dict[str, Any]) -> None:
        """Carry it out without votes where any plan of its kind may be; the hands ask for all else."""
        if (why := refused_plan(plan)) is not None:
            self.failed(why, now)
        else:
            self.move(ChangeStatus.APPLYING, now, cause, reason=f"by {by.told}")

    def _hear_early(self, vote: EarlyVote, now: datetime) -> None:
        command = CHANGE_COMMANDS[vote.command].model_validate(vote.given)
        self.hear(vote.command, command.with_verdict(vote.proven), now)

    def _ask(
        self, now: datetime, cause: dict[str, Any], until: datetime, *, again: bool = False, added: str | None = None
    ) -> None:
        """Have those paged who may vote and have not."""
        electorate = self._electorate(*self.record.added, *([added] if added else []))
        voted = {vote.by for vote in self.record.approvals}
        self._take(
            now,
            cause,
            ApprovalAsked,
            title=self.request.title,
            eligible=list(electorate.roles),
            quorum=electorate.rule.quorum,
            voters=[voter for voter in electorate.voters() if voter not in voted],
            until=until,
            again=again,
            added=added,
        )

    def next_due(self) -> datetime | None:
        """When the voters are paged again or their time is over; None when nobody is asked."""
        window = self.record.window
        if self.record.status is not ChangeStatus.AWAITING_APPROVAL or window is None:
            return None
        return window.ends_at if window.reminded else window.half_at

    def pass_time(self, now: datetime) -> None:
        """Page again at half time; at the end add the chain's next level, and expire when there is none."""
        self._as_of(now)
        while (due := self.next_due()) is not None and due <= now and (window := self.record.window) is not None:
            late = now >= window.ends_at
            cause = deadline(f"approval of {self.record.step}", window.ends_at if late else due)
            if not late:  # who wakes after its end pages once, not for the half time too
                self._ask(now, cause, window.ends_at, again=True)
                continue
            chain = () if self.electorate.own else self.request.organisation.chain
            following = next((role for role in chain if role not in self.electorate.roles), None)
            if following is None:
                self.move(ChangeStatus.EXPIRED, now, cause, reason="nobody decided in time")
                return
            self._ask(now, cause, max(now, window.ends_at) + self.request.approve_within, added=following)

    def commander_is(self, contact: str, now: datetime, since: datetime | None = None) -> None:
        """Whoever commands now may vote where the commander may; who commanded before somebody else does not."""
        if since is not None and since < self._commander_since:
            return
        self._commander_since = since or self._commander_since
        self.commander = contact
        self._ask_others(now, "acknowledge")

    def stand_ins_are(self, told: StandIns, now: datetime) -> None:
        """Whoever stands in may vote from when they do until they do not any more."""
        known = told.beside(self.request.delegations)
        self.request = self.request.model_copy(update={"delegations": known})
        self._ask_others(now, "delegate")

    def _ask_others(self, now: datetime, command: str) -> None:
        """Say whose roles may decide, where that is others by now."""
        self._as_of(now)
        eligible = list(self.electorate.roles)
        if self.record.status is ChangeStatus.AWAITING_APPROVAL and eligible != self.record.eligible:
            self._take(now, {"command": command}, ElectorateChanged, eligible=eligible)

    def evidence_forgone(self, now: datetime) -> None:
        """Go on though the evidence that was to come first has not begun."""
        self._take(now, {"deadline": "evidence first"}, EvidenceForgone)

    def hear(self, name: str, command: Command, now: datetime) -> str | None:
        """Take a vote or a cancellation; one that comes before the plan is kept. Refusals go on record."""
        self._as_of(now)
        cause, ballots = cause_of(name, command), self._ballots()
        if self.record.status is ChangeStatus.PLANNING and name != "cancel":
            reason = ballots.not_kept(command)
            if reason is None:
                given = command.model_dump(mode="json", exclude=set() if command.proven else {"proof"})
                self._take(now, cause, VoteKept, command.by, command=name, given=given, proven=command.proven)
                return None
        else:
            reason = ballots.refusal(name, command)
        who = ballots.who(command.by)
        if reason is not None:
            self.refuse(name, command.by, reason, now, cause_of(name, command, most=_GIVEN))
            return reason
        if isinstance(command, Cancel):
            actor = who.id if who else command.by
            self.move(ChangeStatus.CANCELLED, now, cause, actor, reason=f"{actor} cancels: {command.reason}")
        elif who is not None and isinstance(command, Approve | Reject | BreakGlass):
            self._vote(who, command, now, cause)
        return None

    def _record(self, event: Refused | RefusalsCounted, by: str, now: datetime, cause: dict[str, Any]) -> None:
        self._take(now, cause, type(event), by, **event.model_dump(exclude={"kind", "step", "workflow_id"}))

    def refuse_cancel(self, now: datetime) -> None:
        """Put on record that its workflow was to be cancelled, however much else was refused; its incident pages."""
        self._record(tampering.cancelled(), tampering.UNKNOWN, now, {"command": "cancel"})

    def _ballots(self) -> Ballots:
        return Ballots(self.record, self.electorate, self.commander, self.request.evidence)

    def _vote(self, who: Contact, command: Approve | Reject | BreakGlass, now: datetime, cause: dict[str, Any]) -> None:
        electorate = self.electorate
        roles = [*electorate.roles_of(who), *who.roles]  # who breaks the glass may hold none that votes
        role = electorate.free_role(who, counting(electorate.organisation, self.record.approvals)) or roles[0]
        proof = command.proof if command.proven else None
        cast = {"role": role, "verified": command.proven or False, "proof": proof}
        if isinstance(command, Reject):
            self._take(now, cause, VoteCast, who.id, **cast, decision="reject", comment=command.reason)
            reason = f"{who.id} ({role}) rejects: {command.reason}"
            self.move(ChangeStatus.REJECTED, now, cause, who.id, reason=reason)
            return
        why = {"break_glass": command.reason} if isinstance(command, BreakGlass) else {"comment": command.comment}
        self._take(now, cause, VoteCast, who.id, **cast, decision="approve", digest=command.digest, **why)
        if electorate.suffices(self.votes()):
            self.move(ChangeStatus.APPLYING, now, cause)

    def votes(self) -> list[Vote]:
        """The votes that counted when the last of them was given: of a stand-in whose time was over then, none."""
        votes = self.record.approvals
        last = max((vote.at for vote in votes), default=self.record.requested_at)
        return counting(self._people(last), votes)

    def given_up(self) -> GivenUp:
        """How it was decided that it is not to be begun."""
        record = self.record
        ends = (one.actor for one in reversed(self.said.events) if isinstance(one.event, ChangeMoved))
        by = next(ends, ORCHESTRATOR)
        digest = record.plan.digest if record.plan else None
        fields = {"status": record.status, "reason": record.reason or "", "by": by, "digest": digest}
        return GivenUp.model_validate({**fields, "votes": record.approvals})

    def applied(self, applied: Applied, now: datetime) -> None:
        """Take what applying came to."""
        cause = {"answer": "apply"}
        if applied.outcome == "stale":
            reason = "somebody else changed the resource since the plan; nothing was applied"
            self.move(ChangeStatus.STALE, now, cause, reason=reason, observed=applied.observed)
        elif applied.outcome == "already-done" and not applied.ours:
            reason = "somebody else has done it meanwhile"
            self.move(ChangeStatus.ALREADY_DONE, now, cause, reason=reason, ours=False)
        else:
            pieces = pieces_of(self.record.plan, applied.refused) if self.record.plan and applied.refused else {}
            self.move(ChangeStatus.VERIFYING, now, cause, ours=applied.ours, pieces=pieces)
            if applied.verified is not None:
                self.verified(applied.verified, now)

    def verified(self, message: str, now: datetime) -> None:
        """The world is as planned, or as far as it was not refused."""
        status = ChangeStatus.APPLIED
        if self.record.pieces:
            status, message = ChangeStatus.PARTLY_APPLIED, f"{message}; {pieces_told(self.record.pieces)}"
        self.move(status, now, {"answer": "verify"}, reason=message, ours=self.record.ours)

    def failed(self, reason: str, now: datetime, *, denied: bool = False) -> None:
        """It cannot be applied, or is not proven good; what was refused before that is said again."""
        if self.record.pieces:
            reason = f"{reason}; {pieces_told(self.record.pieces)}"
        self.move(ChangeStatus.FAILED, now, {}, reason=reason, ours=self.record.ours, denied=denied)

    def move(
        self, status: ChangeStatus, now: datetime, cause: dict[str, Any], actor: str = ORCHESTRATOR, **fields: Any
    ) -> None:
        """Go on to another status. Votes that came before a plan that never came are refused at the end."""
        early = self.record.early
        self._take(now, cause, ChangeMoved, actor, title=self.request.title, status=status, **fields)
        for vote in early if self.ended else []:
            self._hear_early(vote, now)
