"""The one mechanism of every change: plan, apply, verify, undo; each action only reads, acts and looks.

What `apply` does, by what is on record and what it reads; every row can be taken again after a crash:

    intent    the resource is now         what happens
    none      as `after`                  already-done, not ours
    none      as `before` *               the intent is put on record, then the action acts
    none      anything else               stale: nothing is written
    ours      as `after`                  applied: an answer was lost, the effect is there
    ours      each field before or after  the action resumes: what it sets is absolute, or it looks what it did
    ours      anything else               stale: somebody else is at it too

    Before its intent is on record the action may still refuse what has turned bad since the plan, and whoever asks for
    it what its files have forbidden since: nothing is written.

    * fields that the plan calls moving may have any value; the intent keeps what they had, for an undo to restore

Where pieces of a change were refused while others were done it is applied, and says which are missing.
Errors of botocore pass through; the registry gives them their kind.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.action import ChangeAction, Clients, PartlyDoneError, RuleError
from activities.aws.shared.account import Account
from activities.aws.shared.bearers import acting_for
from activities.aws.shared.error_mapping import kind_of, said
from activities.changes.intents import Intent, Intents, Nonce
from activities.changes.locks import Locks, ResourceBusyError
from activities.changes.own import refuse_own, refuse_own_addresses
from activities.ledger.table import Table
from activities.ledger.terms import Terms
from activities.logical_names import known_params
from domain.model.activity_io import Applied, Planned, Verified
from domain.model.calls import ApplyCall, PlanCall, ReleaseCall, Scope, VerifyCall
from domain.model.plan import Plan, State, Verification
from domain.values import limits
from domain.values.canonical import canonical_json
from domain.values.errors import FINAL, ErrorKind

LEASE = timedelta(minutes=5)
"""How long a lock outlives its holder's last sign of life; longer than any single attempt may take."""

_AGAIN = timedelta(seconds=2)
_AGAIN_LATER = timedelta(seconds=20)  # what takes long is looked at less often, or its attempts would run out
_PATIENCE = timedelta(minutes=5)
"""How long a piece that may still be done is tried again, while the others are done and nobody hears that it is not."""
_REFUSALS = FINAL - {ErrorKind.EXPIRED_CREDENTIALS, ErrorKind.SUPERSEDED} | {ErrorKind.UNKNOWN}
_EXPECTED = ApplicationErrorCategory.BENIGN
"""Waiting is no failure: it is neither logged nor counted as one."""


class ChangeRunner:
    """Carries out every change action the same way, one attempt at a time. Safe to share between threads."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._account = Account(clients)

    def plan(self, action: ChangeAction[Any], call: PlanCall) -> Planned:
        """Say what would change; write nothing, so a repeat only looks again.

        An undo swaps the applied plan. Raises `RuleError` when that cannot be reversed or the resource is no
        longer as the plan left it, for a plan of what is the orchestrator's own (an undo takes back what was done, and
        is not asked whose it is), and for a plan of more than `limits.PLAN` bytes, which the record could not hold;
        pydantic's `ValidationError` for parameters the action does not take.
        """
        if call.undo is not None:
            plan = self._reversed(action, call, call.undo)
        else:
            params = known_params(action.params, call.params, call.scope.environment)
            refuse_own_addresses(call.scope.environment, params)
            plan = action.plan(call.scope, params).sealed()
            _refuse_unfit(action, plan)
            refuse_own(action, call.scope.environment, plan)
        ours = plan.changes_nothing and self._intents(call.scope).meant(
            call.scope.incident, call.step, plan.target, plan.after
        )
        return Planned(plan=plan, ours=ours)

    def apply(
        self,
        action: ChangeAction[Any],
        call: ApplyCall,
        at: datetime,
        judge: Callable[[], tuple[Nonce, ...]] = lambda: (),
    ) -> Applied:
        """Bring the resource to `plan.after`, or say why not; a repeat under the same generation looks before it acts.

        `at` (UTC) dates what goes on record. What is in force at once is looked at once, and `verified` says what was
        seen; else the locks stay with `call.holder` until `verify` or `release`. After `already-done` and `stale` they
        are free. `judge` is called before anything is begun, and raises where that is not to be any more; what it
        gives is used up by this change. Where
        pieces were refused for good and others done it is `applied`, with `refused`; what may still be done is tried
        again for five minutes before. Raises `RuleError` for a dry run, a broken seal and the wrong
        account, `SupersededError` in a life that is over, `ClockError` where this worker's clock is off, and
        `ApplicationError` of type `ResourceBusy`, retryable, while another change holds a lock.
        """
        _refuse_rehearsal(call)
        _refuse_foreign(action, call.plan)
        self._account.refuse_foreign(call.scope.environment)
        table = self._table(call.scope)
        Terms(table).check(call.scope.incident, call.term)
        table.refuse_wrong_clock()
        self._acquire(call)
        applied = self._applied(action, call, at, judge)
        if applied.outcome != "applied":
            self._locks(call.scope).release(call.plan.locks, call.holder)
        elif (seen := _seen_at_once(action, call, applied)) is not None and seen.done:
            self._finish(call, "partly" if applied.refused else "verified", seen.message, at)
            applied.verified = seen.message
        return applied

    def verify(self, action: ChangeAction[Any], call: VerifyCall, at: datetime) -> Verified:
        """Look once whether the world is `plan.after`, and renew the locks' lease.

        When it is, the outcome goes on record beside the intent and the locks are released; a repeat finds the same.
        Raises `ApplicationError`: `NotYet`, retried after 2 s (what takes long: 20 s), or `VerificationFailed`,
        final, the locks released.
        """
        other = self._locks(call.scope).renew(call.plan.locks, call.holder, LEASE)
        seen = action.verify(call.scope, call.plan.without(call.refused))
        message = seen.message + (f" (our lock ran out; {other} holds it now)" if other else "")
        if not seen.done and not seen.failed:
            again = seen.again or (_AGAIN_LATER if call.plan.takes_long else _AGAIN)
            raise ApplicationError(message, type=ErrorKind.NOT_YET.value, next_retry_delay=again, category=_EXPECTED)
        outcome = "failed" if not seen.done else "partly" if call.refused else "verified"
        self._finish(call, outcome, message, at)
        if seen.failed:
            raise ApplicationError(message, type=ErrorKind.VERIFICATION_FAILED.value, non_retryable=True)
        return Verified(message=message)

    def _finish(self, call: ApplyCall | VerifyCall, outcome: str, message: str, at: datetime) -> None:
        key = (call.scope.incident, call.step, call.generation)
        self._intents(call.scope).record_outcome(*key, outcome, message, at)
        self._locks(call.scope).release(call.plan.locks, call.holder)

    def release(self, call: ReleaseCall, at: datetime) -> None:
        """Give the locks back; twice is fine, and locks of others stay.

        What was applied and could not be verified is on record as failed, or it would count as well to who asks next.
        What was given up before it was begun is never begun. Raises `SupersededError` in a life that is over.
        """
        key = (call.scope.incident, call.step, call.generation)
        if call.unverified is not None:
            self._intents(call.scope).record_outcome(*key, "failed", call.unverified, at)
        if call.given_up is not None:
            self._intents(call.scope).give_up(*key, at, call.given_up, call.term)
        self._locks(call.scope).release(call.locks, call.holder)

    def _intents(self, scope: Scope) -> Intents:
        return Intents(self._table(scope))

    def _locks(self, scope: Scope) -> Locks:
        return Locks(self._table(scope))

    def _table(self, scope: Scope) -> Table:
        return Table(self._clients, scope.environment.ledger_table)

    def _reversed(self, action: ChangeAction[Any], call: PlanCall, undo: Plan) -> Plan:
        _refuse_foreign(action, undo)
        if not undo.reversible:
            raise RuleError(f"{undo.action} on {undo.target} cannot be undone: its plan says so")
        now = action.read(call.scope, undo)
        if _same(now, undo.before):  # somebody else took it back: there is nothing left to do
            return undo.reversed().model_copy(update={"before": now, "after": now}).sealed()
        if fields := ", ".join(_differing(now, undo.after, undo.moving)):
            raise RuleError(f"{undo.target} has changed since ({fields}): an undo would overwrite what came after")
        intents = self._intents(call.scope)
        done = intents.of_plan(call.scope.incident, call.step, call.generation, undo.digest) if undo.moving else None
        back = undo.reversed(done.observed if done else None).sealed()
        action.refuse_undo(call.scope, back)
        return back

    def _acquire(self, call: ApplyCall) -> None:
        try:
            self._locks(call.scope).acquire(call.plan.locks, call.holder, LEASE)
        except ResourceBusyError as busy:
            raise ApplicationError(
                str(busy), type=ErrorKind.BUSY.value, next_retry_delay=_AGAIN, category=_EXPECTED
            ) from busy

    def _applied(
        self, action: ChangeAction[Any], call: ApplyCall, at: datetime, judge: Callable[[], tuple[Nonce, ...]]
    ) -> Applied:
        """Where nothing of ours is on record, whatever differs from `before` is somebody else's doing."""
        intents = self._intents(call.scope)
        key = (call.scope.incident, call.step, call.generation)
        intent = Intent.of(call.plan, key, call.action_id, call.approvers, at)
        said = {name: getattr(call, name) for name in ("votes", "requested_by", "preauthorised")}
        intent = intent.model_copy(update=said)
        if known := intents.get(*key):
            intents.put(intent, call.term, begun=True)  # refused unless it is of the same plan
        now = action.read(call.scope, call.plan)
        if _same(now, call.plan.after):
            return Applied(outcome="applied" if known else "already-done", ours=known is not None, observed=now)
        fits = _between(now, call.plan) if known else not _differing(now, call.plan.before, call.plan.moving)
        if not fits:
            return Applied(outcome="stale", observed=now)
        if not known:
            action.refuse_late(call.scope, call.plan)  # first: what will pass is waited for, and a plan refuses it
            intents.put(intent.model_copy(update={"observed": now}), call.term, nonces=judge())
        try:
            with acting_for(call.scope.incident, call.step, call.requested_by, call.approvers):
                if known:
                    action.resume(call.scope, call.plan, known.at, at)
                else:
                    action.act(call.scope, call.plan)
        except PartlyDoneError as partly:
            patient = at - (known.at if known else at) < _PATIENCE
            return Applied(outcome="applied", refused=_refused(call.plan, partly.errors, patient=patient))
        return Applied(outcome="applied")


def _seen_at_once(action: ChangeAction[Any], call: ApplyCall, applied: Applied) -> Verification | None:
    """Look once after acting; None for what takes long, or where looking fails: `verify` meets that and says so."""
    try:
        return None if call.plan.takes_long else action.verify(call.scope, call.plan.without(applied.refused))
    except Exception:  # noqa: BLE001 - it was applied, whatever the look comes to
        return None


def _refused(plan: Plan, errors: dict[str, Exception], *, patient: bool) -> dict[str, str]:
    """Say why pieces were refused. Raises the error of one that may still be done, while there is patience for it.

    Where nothing at all was done that is no change done in part: it is raised too, or what refused it.
    """
    kinds = {name: kind_of(error) for name, error in errors.items()}
    nothing = errors.keys() >= set(plan.changing)
    may_pass = [error for name, error in errors.items() if kinds[name] not in _REFUSALS]
    if may_pass and (patient or nothing):
        raise may_pass[0]
    if nothing:
        raise next(iter(errors.values()))
    return {name: f"{kinds[name]}: {said(error)}" for name, error in errors.items()}


def _refuse_unfit(action: ChangeAction[Any], plan: Plan) -> None:
    if (found := limits.size(plan.model_dump(mode="json"))) > limits.PLAN:
        raise RuleError(f"the plan has {found} bytes, and {limits.PLAN} at most can go on record: ask for less at once")
    if plan.approval_class not in action.classes:
        raise RuleError(f"{action.name} plans class {plan.approval_class}, which it does not declare")


def _refuse_rehearsal(call: ApplyCall) -> None:
    if call.scope.mode == "dry-run":
        raise RuleError("a dry run ends with the plan: nothing is applied")
    if call.scope.mode == "drill" and call.scope.environment.kind == "production":
        raise RuleError(f"a drill changes nothing in {call.scope.environment.name}, which is production")


def _refuse_foreign(action: ChangeAction[Any], plan: Plan) -> None:
    if not plan.is_sealed():
        raise RuleError(f"the plan for {plan.target} is not what its digest was made of: plan again")
    if plan.action != action.name:
        raise RuleError(f"{action.name} does not carry out plans of {plan.action}")


def _between(now: State, plan: Plan) -> bool:
    """Tell whether every field is as it was before or as it shall be, or moves."""
    return now.keys() == plan.after.keys() and all(
        name in plan.moving or _same(value, plan.before[name]) or _same(value, plan.after[name])
        for name, value in now.items()
    )


def _differing(one: State, other: State, moving: tuple[str, ...]) -> list[str]:
    return sorted(
        name
        for name in one.keys() | other.keys()
        if name not in one or name not in other or not (name in moving or _same(one[name], other[name]))
    )


def _same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal: what was planned came back through JSON, what is read now did not."""
    return canonical_json(one) == canonical_json(other)
