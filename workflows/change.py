"""One requested change: plan, approvals, apply, verify."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.model.activity_io import Applied, ApplyCall, PlanCall, Planned, ReleaseCall, Verified, VerifyCall
    from domain.model.commands import CHANGE_COMMANDS, Command
    from domain.model.state import ChangeStatus
    from domain.rules.change import Change as Rules
    from domain.rules.change import ChangeRequest
    from domain.rules.document import change_document
    from domain.values import ids

from workflows import failures, profiles
from workflows.message_handlers import hears
from workflows.search_attributes import WAITING_FOR


@workflow.defn(name="Change")
@hears(CHANGE_COMMANDS)
class Change:
    """A compare-and-set that people approve by its digest. It tells its incident everything by signals."""

    @workflow.init
    def __init__(self, request: ChangeRequest) -> None:
        self._request = request
        self._rules = Rules(request)
        self._outbox: asyncio.Queue[Any] = asyncio.Queue()
        self._changed = False
        self._waiting: list[str] = []
        self._evidence_begun = False

    @workflow.run
    async def run(self, request: ChangeRequest) -> dict[str, Any]:
        """See the change through; returns its record. Ends by itself when it is rejected, expired or stale."""
        teller = asyncio.create_task(self._tell_incident())
        await self._plan(request)
        self._tell()
        while self._rules.record.status is ChangeStatus.AWAITING_APPROVAL:
            await self._wait_for_votes()
        if self._rules.record.status is ChangeStatus.APPLYING:
            await self._wait_for_evidence(request)
            await self._apply_and_verify(request)
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._tell(last=True)
        await teller
        return change_document(self._rules.record)

    def _options(self, profile: profiles.Profile, verb: str) -> dict[str, Any]:
        if self._request.evidence:
            profile = {**profile, "task_queue": ids.FORENSICS_QUEUE}
        return profiles.with_profile(profile, self._request.scope.severity, f"{verb}: {self._request.title}")

    async def _plan(self, request: ChangeRequest) -> None:
        record = request.record
        call = PlanCall(
            scope=request.scope,
            step=record.step,
            generation=record.generation,
            params=record.params,
            undo=request.undo,
        )
        try:
            planned = await workflow.execute_activity(
                f"{record.action}.plan", call, result_type=Planned, **self._options(profiles.PLAN, "Plan")
            )
        except ActivityError as error:
            if not self._rules.ended:
                self._rules.failed(failures.reason(error), workflow.now(), denied=failures.is_denied(error))
            return
        if not self._rules.ended:
            self._rules.planned(planned, workflow.now())

    async def _wait_for_votes(self) -> None:
        due = self._rules.next_due()
        timeout = None if due is None else max(due - workflow.now(), timedelta(0))
        self._changed = False
        try:
            await workflow.wait_condition(
                lambda: self._changed, timeout=timeout, timeout_summary="approval: page again or escalate"
            )
        except TimeoutError:
            self._rules.fire(workflow.now())
            self._tell()

    async def _wait_for_evidence(self, request: ChangeRequest) -> None:
        """Let evidence be initiated first; containment waits neither for its end nor for longer than the box."""
        if request.wait_for_evidence is None:
            return
        try:
            await workflow.wait_condition(
                lambda: self._evidence_begun, timeout=request.wait_for_evidence, timeout_summary="evidence first"
            )
        except TimeoutError:
            text = "Evidence has not begun in time; what is lost now is forgone"
            self._rules.note(workflow.now(), "orchestrator", "evidence", text)

    async def _apply_and_verify(self, request: ChangeRequest) -> None:
        record = self._rules.record
        plan = record.plan
        if plan is None:
            raise ApplicationError("a change without a plan cannot be applied", non_retryable=True)
        action_id = ids.action_id(request.scope.incident, record.step, record.generation)
        holder = workflow.info().workflow_id
        apply = ApplyCall(
            scope=request.scope,
            step=record.step,
            generation=record.generation,
            action_id=action_id,
            holder=holder,
            plan=plan,
            approvers=tuple(vote.by for vote in record.approvals),
        )
        try:
            applied = await workflow.execute_activity(
                f"{record.action}.apply", apply, result_type=Applied, **self._options(profiles.APPLY, "Apply")
            )
            self._rules.applied(applied, workflow.now())
            self._tell()
            if record.status is not ChangeStatus.VERIFYING:
                return
            verified = await workflow.execute_activity(
                f"{record.action}.verify",
                VerifyCall(
                    scope=request.scope,
                    step=record.step,
                    generation=record.generation,
                    action_id=action_id,
                    holder=holder,
                    plan=plan,
                ),
                result_type=Verified,
                **self._options(profiles.PRESERVE if plan.takes_long else profiles.VERIFY, "Verify"),
            )
        except ActivityError as error:
            self._rules.failed(failures.reason(error), workflow.now(), denied=failures.is_denied(error))
            self._tell()
            await workflow.execute_activity(
                "changes.release",
                ReleaseCall(scope=request.scope, holder=holder, locks=plan.locks),
                **self._options(profiles.PLAN, "Release locks"),
            )
        else:
            self._rules.end(ChangeStatus.APPLIED, verified.message, workflow.now())

    def _tell(self, *, last: bool = False) -> None:
        """Queue what is new for the incident; the next activity does not wait for it."""
        self._outbox.put_nowait(self._rules.told())
        if last:
            self._outbox.put_nowait(None)
        waiting = list(self._rules.record.eligible)
        if waiting != self._waiting:
            self._waiting = waiting
            workflow.upsert_search_attributes([WAITING_FOR.value_set(waiting)])
        workflow.set_current_details(self._details())

    async def _tell_incident(self) -> None:
        incident = workflow.get_external_workflow_handle(self._request.scope.incident)
        while (progress := await self._outbox.get()) is not None:
            try:
                await incident.signal("change_progress", progress)
            except ApplicationError:
                workflow.logger.exception("the incident cannot be told; it is closed")

    def _details(self) -> str:
        plan = self._rules.record.plan
        if plan is None:
            return f"**{self._rules.record.status}**"
        lines = [
            f"## {self._request.title}",
            f"**{self._rules.record.status}** · {plan.summary}",
            f"Impact: {plan.impact}",
            f"Digest: `{plan.digest}`",
        ]
        if self._rules.record.eligible:
            lines.append(f"Waits for: {', '.join(self._rules.record.eligible)}")
        return "\n\n".join(lines)

    def refuse_early(self, name: str, command: Command) -> str | None:  # noqa: ARG002 - votes refused go on record
        """Turn nothing away: a refused vote belongs in the timeline."""
        return None

    def hear(self, name: str, command: Command) -> str | None:
        """Take a vote or a cancellation; a refusal goes into the incident's timeline."""
        reason = self._rules.handle(name, command, workflow.now())
        self._changed = True
        self._tell()
        return reason

    def unreadable(self, name: str, payload: Any, problem: str) -> None:  # noqa: ARG002 - the payload may hold anything
        """Put a signal that cannot be read on record."""
        self._rules.note(workflow.now(), "unknown", "refused", f"Refused {name}: {problem}", {"command": name})
        self._tell()

    async def answer(self) -> dict[str, Any]:
        """The change as it stands."""
        return change_document(self._rules.record)

    @workflow.signal
    def commander_is(self, payload: dict[str, str]) -> None:
        """Learn who commands the incident now."""
        if commander := payload.get("commander"):
            self._rules.commander_is(commander)
            self._changed = True

    @workflow.signal(dynamic=True)
    def unknown(self, name: str, args: Sequence[RawValue]) -> None:  # noqa: ARG002 - an unknown payload is not read
        """Put a signal of an unknown name on record as refused."""
        self.unreadable(name, None, "there is no such command")

    @workflow.signal
    def evidence_begun(self, payload: dict[str, str]) -> None:  # noqa: ARG002 - told by the same effect as other news
        """Learn that the evidence to be preserved first is under way."""
        self._evidence_begun = True

    @workflow.query
    def state(self) -> dict[str, Any]:
        """The change as `incident show` prints it."""
        return change_document(self._rules.record)
