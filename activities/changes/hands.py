"""The hands: they plan what is asked for, and carry out what they have planned themselves, once it is approved.

A request names a change and a digest. Everything else is on record or in the worker's own files: the plan, that the
incident is declared and not over, its runbook, who may vote. So whoever can only speak to Temporal changes nothing.
"""

from datetime import datetime
from typing import Any

import structlog

from activities.action import ChangeAction, Clients, RuleError
from activities.approved import refuse_unapproved
from activities.aws.shared.error_codes import is_of_aws
from activities.changes.evidence_first import wait_for_evidence
from activities.changes.giving_back import give_back
from activities.changes.intents import Intents, Nonce
from activities.changes.own import refuse_own
from activities.changes.plans import MadePlan, Plans
from activities.changes.preauthorised import Allowed, allowed
from activities.changes.proving import decisive, nonces
from activities.changes.runner import ChangeRunner
from activities.declared import LAST_WORDS, Declared, OnRecord
from activities.house import House, scope_of
from activities.ledger.seen import SeenClaims
from activities.ledger.table import Table
from activities.logical_names import known_params
from activities.stand_ins import electors
from activities.strange_requests import Strange, StrangeRequestError
from domain.config.runbook import ChangeStep
from domain.model.activity_io import (
    Applied,
    ApplyRequest,
    ChangeAsked,
    Planned,
    PlanRequest,
    Undone,
    Verified,
    VerifyRequest,
)
from domain.model.calls import ApplyCall, PlanCall, Scope, VerifyCall
from domain.model.events import ORCHESTRATOR
from domain.model.plan import Plan
from domain.rules import breaking_glass
from domain.rules.judging import refused_votes
from domain.rules.voting import Electorate, rule_for
from domain.values import ids
from domain.values.canonical import canonical_json
from domain.values.timestamps import stamp

_log = structlog.get_logger(__name__)


class Hands:
    """Makes, approves and carries out the changes of one action. Safe to share between threads."""

    def __init__(self, clients: Clients, house: House, action: ChangeAction[Any], runner: ChangeRunner) -> None:
        self._clients = clients
        self._house = house
        self._action = action
        self._runner = runner

    def plan(self, asked: PlanRequest, at: datetime) -> Planned:
        """Plan, and put the plan on record under its digest; a dry run's is not kept. A repeat plans anew.

        People read it and vote though the store is away: then it is made once more when it is to be carried out.
        Raises `RuleError` for a change that was given up, and in production for one of a runbook that is not approved:
        so nobody votes in vain.
        """
        scope = scope_of(self._house, asked.about)
        planned = self._planned(scope, asked)
        if scope.mode != "dry-run":
            try:
                Intents(self._table(scope, once=True)).refuse_given_up(scope.incident, asked.step, asked.generation)
                if not self._action.evidence:
                    Declared(self._house, self._table(scope, once=True)).refuse_unapproved(scope.incident)
                self._keep(scope, asked, planned.plan, at)
            except Exception as error:
                if not is_of_aws(error):
                    raise
                _log.warning("the plan is not on record", step=asked.step, error=type(error).__name__)
        return planned

    def _planned(self, scope: Scope, asked: PlanRequest) -> Planned:
        call = PlanCall(scope=scope, step=asked.step, generation=asked.generation, params=asked.params)
        if asked.undo is not None:
            call.undo = self._undone(scope, asked)
        return self._runner.plan(self._action, call)

    def _keep(self, scope: Scope, asked: PlanRequest, plan: Plan, at: datetime) -> MadePlan:
        made = MadePlan(
            plan=plan,
            params=asked.params,
            requested_by=asked.requested_by,
            undo_of=asked.undo.generation if asked.undo else None,
            at=at,
        )
        Plans(self._table(scope, once=True)).put(scope.incident, asked.step, asked.generation, made)
        return made

    def apply(self, asked: ApplyRequest, at: datetime, asked_at: datetime | None = None) -> Applied:
        """Carry out the plan on record, like `ChangeRunner.apply`; its votes hold if they did when it was first asked.

        One that could not be put on record is made once more, and `stale` if it is another by now. Raises `RuleError`
        for an incident that has ended, for a step that is not of its runbook, for votes that do not suffice by the
        worker's own rule, or are not proven outside a sandbox, for a runbook that is not approved (in production, but
        for evidence), for what the gates of its plan refuse by the files as they are now; a retryable error while the
        incident is not on record, or evidence that is to come first has not begun and still has time to. What was begun
        goes on whatever has changed since, to one end: what came of it is not done again.
        """
        scope, asked = scope_of(self._house, asked.about), decisive(self._house, asked)
        made = Plans(self._table(scope)).find(scope.incident, asked.step, asked.generation, asked.digest)
        if made is None:
            plan, given = self._planned(scope, asked).plan, asked.plan
            if given is None or not given.is_sealed() or given.digest != asked.digest or not _is_same(plan, given):
                return Applied(outcome="stale", observed=plan.before)
            made = self._keep(scope, asked, given, at)
        intent = Intents(self._table(scope)).get(scope.incident, asked.step, asked.generation)
        used, by = tuple[Nonce, ...](), tuple(vote.by for vote in asked.votes)
        if intent is None and asked.preauthorised is not None:
            by, used = self._preauthorised(scope, asked, made, at)
        elif intent is None:
            used = self._approved(scope, asked, made, at, asked_at or at)
        elif (seen := self._came_to(scope, asked, made.plan, at)) is not None:
            return Applied(outcome="applied", verified=seen)
        votes = asked.votes if intent is None else intent.votes
        approvers = by if intent is None else intent.approvers
        call = ApplyCall(
            **self._same(scope, asked, made.plan),
            approvers=approvers,
            requested_by=made.requested_by,
            votes=votes,
            preauthorised=asked.preauthorised,
            term=asked.term,
        )

        def judge() -> tuple[Nonce, ...]:
            self._refuse_by_now(scope, asked, made)
            return used

        return self._runner.apply(self._action, call, at, judge)

    def _came_to(self, scope: Scope, asked: ChangeAsked, plan: Plan, at: datetime) -> str | None:
        """What was seen of a change that is over: it is not done again, though the world is as it was before by now.

        None for one that may go on: without an outcome until an hour after the incident's end, and one that was done in
        part while the incident is open. Raises `RuleError` for one that has failed, after that, and where what is over
        was another plan than the one that is asked for.
        """
        name, table = f"{scope.incident}/{asked.step}/{asked.generation}", self._table(scope)
        outcome, message = Intents(table).ended(scope.incident, asked.step, asked.generation) or ("", "")
        if outcome:
            Intents(table).refuse_another(scope.incident, asked.step, asked.generation, plan.digest)
        if outcome == "verified":
            give_back(self._runner, scope, asked, plan.locks, at)
            return message
        if outcome not in {"", "partly"}:
            raise RuleError(f"{name} has failed, by the record: {message}")
        ended_at = Declared(self._house, table).ended_at(scope.incident)
        if ended_at is not None and (outcome or at - ended_at > LAST_WORDS):
            raise RuleError(f"{scope.incident} has ended: nothing is done for it any more")
        return None

    def verify(self, asked: VerifyRequest, at: datetime) -> Verified:
        """Look at what was carried out, like `ChangeRunner.verify`; what is over is not looked at again."""
        scope = scope_of(self._house, asked.about)
        made = Plans(self._table(scope)).get(scope.incident, asked.step, asked.generation, asked.digest)
        if (seen := self._came_to(scope, asked, made.plan, at)) is not None:
            return Verified(message=seen)
        call = VerifyCall(**self._same(scope, asked, made.plan), refused=asked.refused)
        return self._runner.verify(self._action, call, at)

    def _undone(self, scope: Scope, asked: PlanRequest) -> Plan:
        """The plan that was carried out, without the pieces that do not stand any more."""
        if asked.undo is None:
            raise RuleError(f"{asked.step} takes nothing back")
        table, generation = self._table(scope), asked.undo.generation
        intent = Intents(table).get(scope.incident, asked.step, generation)
        if intent is None:
            raise RuleError(f"no intent of {scope.incident}/{asked.step}/{generation} is on record: it was not ours")
        plan = Plans(table).get(scope.incident, asked.step, generation, intent.digest).plan
        return plan.without(asked.undo.without) if asked.undo.without else plan

    def _preauthorised(self, scope: Scope, asked: ApplyRequest, made: MadePlan, at: datetime) -> Allowed:
        """What allows it without votes, and who has signed that. Raises where nothing does."""
        incident, _ = self._of_its_incident(scope, asked, made, at)
        return allowed(self._house, self._table(scope), asked, made, incident, at)

    def _approved(
        self, scope: Scope, asked: ApplyRequest, made: MadePlan, at: datetime, asked_at: datetime
    ) -> tuple[Nonce, ...]:
        """What approves it and is used up by it. Raises where nothing does."""
        incident, step = self._of_its_incident(scope, asked, made, at)
        if step.evidence and made.requested_by == ORCHESTRATOR:
            return ()
        organisation = self._house.organisation()
        soonest = min(policy.approve for policy in organisation.severities.values()) / incident.speed
        if at - made.at < len(asked.added) * soonest:
            raise RuleError(f"{asked.added[-1]} may not decide yet: those before have {soonest} each")
        rule = rule_for(organisation, step.approval, made.plan.approval_class)
        people = electors(self._house, asked.votes, made.requested_by, made.at, asked_at)
        electorate = Electorate(people, rule, made.requested_by, asked.commander, asked.added)
        alone = breaking_glass.refused(people, asked.votes, made.plan, evidence=self._action.evidence)
        if why := refused_votes(electorate, asked.votes) or alone:
            raise RuleError(f"the plan {made.plan.digest[:12]} is not approved: {why}")  # honest by older files
        return nonces(self._house, asked, made, step, asked_at, SeenClaims(self._table(scope)).find)

    def _of_its_incident(
        self, scope: Scope, asked: ApplyRequest, made: MadePlan, at: datetime
    ) -> tuple[OnRecord, ChangeStep]:
        """Its incident, as that is on record, and the step that it is of; evidence that comes first has begun.

        Raises where it is none that may be carried out for it, whoever approves it.
        """
        declared = Declared(self._house, self._table(scope))
        incident = declared.open_one(scope.incident)
        if (scope.mode, scope.declared_at) != (incident.mode, incident.declared_at):
            raise _unasked(f"{scope.incident} is {incident.mode}, since {stamp(incident.declared_at)}")
        runbook = declared.runbook(incident.runbook)
        step = runbook.step(asked.step)
        if not isinstance(step, ChangeStep) or step.change != self._action.name:
            raise _unasked(f"{asked.step} of {scope.incident} is no {self._action.name} by its runbook")
        if strange := _strange(step, made.params):
            raise _unasked(f"{asked.step} takes no other {', '.join(strange)} than its runbook gives")
        known_params(self._action.params, made.params, scope.environment)  # a name may be lost since the plan
        if not (step.evidence and made.requested_by == ORCHESTRATOR):
            if not self._action.evidence:
                refuse_unapproved(self._house, runbook)
            wait_for_evidence(Intents(self._table(scope)), scope.incident, step, incident, at)
        return incident, step

    def _refuse_by_now(self, scope: Scope, asked: ApplyRequest, made: MadePlan) -> None:
        """Plan once more, by the files as they stand now: their gates refuse what they have come to forbid since.

        So every action has its gates twice, and none can forget to. Raises what a plan raises, and `RuleError` where
        the files name another target by now, or the change has come into a higher class.
        """
        undo = None if made.undo_of is None else Undone(generation=made.undo_of)
        if undo is not None and asked.undo is not None and asked.undo.generation == undo.generation:
            undo = asked.undo
        again = PlanRequest(
            about=asked.about,
            step=asked.step,
            generation=asked.generation,
            params=made.params,
            requested_by=made.requested_by,
            undo=undo,
        )
        now, then = self._planned(scope, again).plan, made.plan
        if undo is None:  # what we have done is taken back, whosever it is by now
            refuse_own(self._action, scope.environment, then)
        if now.digest != then.digest:  # such as what could not be looked at besides
            _log.warning("the plan says otherwise by now", step=asked.step, impact=now.impact)
        if now.target != then.target:
            raise RuleError(f"{asked.step} is about {now.target} by now; the plan is about {then.target}: ask again")
        if now.approval_class.value > then.approval_class.value:
            raise RuleError(
                f"{asked.step} is of class {now.approval_class} by now, and was approved as {then.approval_class}: "
                "ask again"
            )

    def _same(self, scope: Scope, asked: ChangeAsked, plan: Plan) -> dict[str, Any]:
        change = scope.incident, asked.step, asked.generation
        return {
            "scope": scope,
            "step": asked.step,
            "generation": asked.generation,
            "action_id": ids.action_id(*change),
            "holder": ids.change_workflow_id(*change),
            "plan": plan,
        }

    def _table(self, scope: Scope, *, once: bool = False) -> Table:
        return Table(self._clients, scope.environment.ledger_table, once=once)


def _unasked(reason: str) -> StrangeRequestError:
    """What no workflow of ours asks for, whatever its files say: what is on record does not change."""
    return StrangeRequestError(reason, Strange.UNASKED)


_WORDS = frozenset({"digest", "summary", "impact"})
"""What a plan tells people: that may say more once the store answers."""


def _is_same(plan: Plan, given: Plan) -> bool:
    """Whether two plans do the same, whatever they say of it."""
    one, other = (each.model_dump(mode="json", exclude=set(_WORDS)) for each in (plan, given))
    return canonical_json(one) == canonical_json(other)


def _strange(step: ChangeStep, params: dict[str, Any]) -> list[str]:
    """Parameters that are not as the runbook gives them, but for those that it asks for."""
    return sorted(
        name
        for name in step.params.keys() | params.keys()
        if name not in step.ask and canonical_json(params.get(name)) != canonical_json(step.params.get(name))
    )
