"""One requested change: plan, approvals, apply, verify."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.model.activity_io import Applied, ApplyCall, PlanCall, Planned, ReleaseCall, Verified, VerifyCall
    from domain.model.commands import CHANGE_COMMANDS, Command
    from domain.model.plan import Plan
    from domain.model.records import ChangeStatus
    from domain.rules.change import LiveChange
    from domain.rules.change_messages import ChangeNews, ChangeRequest
    from domain.rules.document import change_document
    from domain.values import ids

from workflows import failures, profiles
from workflows.message_handlers import Hears, hears

_AT_ONCE = timedelta(seconds=2)
T = TypeVar("T")


def _looking(plan: Plan, *, evidence: bool) -> profiles.Profile:
    if not plan.takes_long:
        return profiles.VERIFY
    return profiles.PRESERVE if evidence else profiles.RESTORE


@workflow.defn(name="Change")
@hears(CHANGE_COMMANDS)
class Change(Hears):
    """A compare-and-set that people approve by its digest.

    Its incident hears of what happens by signals, and of its end by its result: the run that asked for it waits for
    that. A later run of the incident, which would wait in vain, asks to be told by signal.
    """

    @workflow.init
    def __init__(self, request: ChangeRequest) -> None:
        self._request = request
        self._change = LiveChange(request)
        self._outbox: asyncio.Queue[ChangeNews | None] = asyncio.Queue()
        self._changed = False
        self._evidence_begun = False
        self._takes_time = False
        self._by_signal = False

    @workflow.run
    async def run(self, request: ChangeRequest) -> dict[str, Any]:
        """See the change through; returns its record, and under `news` what its incident has not heard yet.

        Ends by itself when it is rejected, expired or stale.

        One that goes on from its incident's record takes up at the status that it had.
        """
        teller = asyncio.create_task(self._tell_incident())
        record = self._change.record
        if record.status is ChangeStatus.PLANNING:
            await self._plan(request)
        self._tell()
        while record.status is ChangeStatus.AWAITING_APPROVAL:
            await self._wait_for_votes()
        if record.status is ChangeStatus.APPLYING:
            await self._wait_for_evidence(request)
        if record.in_flight and record.plan is not None:
            await self._apply_and_verify(record.plan)
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._outbox.put_nowait(None)
        await teller
        while self._by_signal and (unheard := self._change.news()) is not None:
            await self._say(unheard)
        news = self._change.news()
        return {**change_document(record), "news": None if news is None else news.model_dump(mode="json")}

    def _options(self, profile: profiles.Profile, verb: str) -> dict[str, Any]:
        if self._request.evidence:
            profile = {**profile, "task_queue": ids.FORENSICS_QUEUE}
        return profiles.with_profile(profile, self._request.scope.severity, f"{verb}: {self._request.title}")

    async def _plan(self, request: ChangeRequest) -> None:
        record = self._change.record
        call = PlanCall(
            scope=request.scope,
            step=record.step,
            generation=record.generation,
            params=record.params,
            undo=request.undo,
        )
        planning = workflow.start_activity(
            f"{record.action}.plan", call, result_type=Planned, **self._options(profiles.PLAN, "Plan")
        )
        await workflow.wait_condition(lambda: planning.done() or self._change.ended)
        if self._change.ended:
            planning.cancel()  # who cancelled is not kept waiting for a plan that nobody wants
            return
        try:
            self._change.planned(await planning, workflow.now())
        except ActivityError as error:
            self._change.failed(failures.reason(error), workflow.now(), denied=failures.is_denied(error))

    async def _wait_for_votes(self) -> None:
        due = self._change.next_due()
        timeout = None if due is None else max(due - workflow.now(), timedelta(0))
        self._changed = False
        try:
            await workflow.wait_condition(
                lambda: self._changed, timeout=timeout, timeout_summary="approval: page again or escalate"
            )
        except TimeoutError:
            self._change.pass_time(workflow.now())
            self._tell()

    async def _wait_for_evidence(self, request: ChangeRequest) -> None:
        """Let evidence be initiated first; containment waits neither for its end nor for longer than the box."""
        if request.wait_for_evidence is None:
            return
        self._takes_time = True
        self._tell()
        try:
            await workflow.wait_condition(
                lambda: self._evidence_begun, timeout=request.wait_for_evidence, timeout_summary="evidence first"
            )
        except TimeoutError:
            self._change.evidence_forgone(workflow.now())

    async def _apply_and_verify(self, plan: Plan) -> None:
        """Apply, unless that is on record already, and look until the world is as planned.

        An attempt that was cut finds its own intent in the ledger, so that it never acts twice.
        """
        record, scope = self._change.record, self._request.scope
        shared = {
            "scope": scope,
            "step": record.step,
            "generation": record.generation,
            "action_id": ids.action_id(scope.incident, record.step, record.generation),
            "holder": workflow.info().workflow_id,
            "plan": plan,
        }
        try:
            if record.status is ChangeStatus.APPLYING:
                apply = ApplyCall(
                    **shared, approvers=tuple(vote.by for vote in record.approvals), term=self._request.term
                )
                applied = await self._told_while(
                    workflow.start_activity(
                        f"{record.action}.apply", apply, result_type=Applied, **self._options(profiles.APPLY, "Apply")
                    )
                )
                self._change.applied(applied, workflow.now())
            if record.status is not ChangeStatus.VERIFYING:
                return
            verified = await self._told_while(
                workflow.start_activity(
                    f"{record.action}.verify",
                    VerifyCall(**shared, refused=tuple(record.refused)),
                    result_type=Verified,
                    **self._options(_looking(plan, evidence=self._request.evidence), "Verify"),
                )
            )
        except ActivityError as error:
            reason = failures.reason(error)
            unverified = reason if record.status is ChangeStatus.VERIFYING else None
            self._change.failed(reason, workflow.now(), denied=failures.is_denied(error))
            if not failures.is_superseded(error):  # the life that goes on holds the locks under the same name
                await workflow.execute_activity(
                    "changes.release",
                    ReleaseCall(
                        scope=scope,
                        step=record.step,
                        generation=record.generation,
                        holder=workflow.info().workflow_id,
                        locks=plan.locks,
                        unverified=unverified,
                    ),
                    **self._options(profiles.PLAN, "Release locks"),
                )
        else:
            self._change.verified(verified.message, workflow.now())

    async def _told_while(self, doing: "asyncio.Future[T]") -> T:
        """Wait for an activity; say that it is under way only where it is not over at once."""
        try:
            await workflow.wait_condition(doing.done, timeout=_AT_ONCE, timeout_summary="still at it")
        except TimeoutError:
            self._takes_time = True
            self._tell()
        return await doing

    def _tell(self) -> None:
        """Queue what is new for the incident; the next activity does not wait for it.

        The vote that decides is told together with what came of it, unless that takes time.
        """
        workflow.set_current_details(self._details())
        if self._change.ended or (self._change.record.status is ChangeStatus.APPLYING and not self._takes_time):
            return
        if (news := self._change.news()) is not None:
            self._outbox.put_nowait(news)

    async def _tell_incident(self) -> None:
        while (news := await self._outbox.get()) is not None:
            await self._say(news)

    async def _say(self, news: ChangeNews) -> None:
        incident = workflow.get_external_workflow_handle(self._request.scope.incident)
        try:
            await incident.signal("change_progress", news)
        except ApplicationError:
            workflow.logger.exception("the incident does not hear its change; it is closed")

    def _details(self) -> str:
        record = self._change.record
        if record.plan is None:
            return f"**{record.status}**"
        lines = [
            f"## {self._request.title}",
            f"**{record.status}** · {record.plan.summary}",
            f"Impact: {record.plan.impact}",
            f"Digest: `{record.plan.digest}`",
        ]
        if record.eligible:
            lines.append(f"Waits for: {', '.join(record.eligible)}")
        return "\n\n".join(lines)

    def hear(self, name: str, command: Command) -> str | None:
        """Take a vote or a cancellation; a refusal goes into the incident's timeline, so that none is turned away."""
        reason = self._change.hear(name, command, workflow.now())
        self._changed = True
        self._tell()
        return reason

    def unreadable(self, name: str, payload: Any, problem: str) -> None:  # noqa: ARG002 - the payload may hold anything
        """Put a signal that cannot be read on record."""
        self._change.refuse(name, "unknown", problem, workflow.now())
        self._tell()

    async def answer(self) -> dict[str, Any]:
        """The change as it stands."""
        return change_document(self._change.record)

    @workflow.signal
    def commander_is(self, payload: dict[str, str]) -> None:
        """Learn who commands the incident now."""
        if commander := payload.get("commander"):
            self._change.commander_is(commander, workflow.now())
            self._changed = True

    @workflow.signal(dynamic=True)
    def unknown(self, name: str, args: Sequence[RawValue]) -> None:  # noqa: ARG002 - an unknown payload is not read
        """Put a signal of an unknown name on record as refused."""
        self.unreadable(name, None, "there is no such command")

    @workflow.signal
    def tell_by_signal(self) -> None:
        """Learn that nobody waits for the result: the incident goes on as another run."""
        self._by_signal = True

    @workflow.signal
    def evidence_begun(self, payload: dict[str, str]) -> None:  # noqa: ARG002 - sent by the same effect as other news
        """Learn that the evidence to be preserved first is under way."""
        self._evidence_begun = True

    @workflow.query
    def state(self) -> dict[str, Any]:
        """The change as `incident show` prints it."""
        return change_document(self._change.record)
