"""One requested change: plan, approvals, apply, verify."""

import asyncio
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain.model import acts
    from domain.model.activity_io import Verified
    from domain.model.commands import CHANGE_COMMANDS, Approve, BreakGlass, Command
    from domain.model.events import ORCHESTRATOR
    from domain.model.plan import Plan
    from domain.model.proofs import ClaimAsked, of_break_glass, of_vote
    from domain.model.records import ChangeStatus
    from domain.rules.change import LiveChange
    from domain.rules.change_messages import ChangeRequest, Commander, Life, Nothing, StandIns
    from domain.rules.document import change_document

from workflows import beginnings, failures, profiles
from workflows.change_calls import ChangeCalls
from workflows.message_handlers import Hears
from workflows.teller import GIVEN_UP, Teller
from workflows.uncancelled import uncancelled, wait_condition
from workflows.visibility import details_of_change

_AT_ONCE = timedelta(seconds=2)
T = TypeVar("T")


@workflow.defn(name="Change")
class Change(Hears):
    """A compare-and-set that people approve by its digest.

    Its incident hears of what happens by signals, and of its end by its result: the run that asked for it waits for
    that. A later run of the incident, which would wait in vain, asks to be told by signal, and so is what was decided
    against it. A long history is carried on as a new run, amid an activity too if it must: whoever reads the record
    finds what was done already.
    """

    commands = CHANGE_COMMANDS
    messages: ClassVar = {
        "commander_is": Commander,
        "stand_ins_are": StandIns,
        "evidence_begun": Nothing,
        "tell_by_signal": Life,
    }

    @workflow.init
    def __init__(self, request: ChangeRequest) -> None:
        super().__init__()
        if workflow.info().continued_run_id is None:
            request = request.model_copy(update={"carried": None})
        self._request = request
        self._wait_for = request.wait_for_evidence
        self._change = LiveChange(request)
        self._calls = ChangeCalls(self._change)
        self._changed = self._evidence_begun = False
        self._takes_time = self._releasing = self._has_told_end = False
        by_signal = bool(request.carried and request.carried.by_signal)
        self._teller = Teller(self._change, request.about.incident, self._can_wait, by_signal=by_signal)

    @workflow.run
    @uncancelled
    async def run(self, request: ChangeRequest) -> dict[str, Any]:
        """See the change through; returns its record, and under `news` what its incident has not heard yet.

        Ends by itself when it is rejected, expired or stale. One of a record goes on at the status that it had.
        """
        await beginnings.refuse_another_change(request)
        telling = asyncio.create_task(self._teller.run())
        record = self._change.record
        if record.status is ChangeStatus.PLANNING:
            await self._plan()
        self._tell()
        while record.status is ChangeStatus.AWAITING_APPROVAL:
            await self._wait_for_votes()
        if record.status is ChangeStatus.APPLYING:
            await self._wait_for_evidence()
        if record.in_flight and record.plan is not None:
            await self._apply_and_verify(record.plan)
        elif record.status in GIVEN_UP:  # no life of the incident carries it out after all
            await self._released(self._calls.give_up(self._change.given_up()))
        await wait_condition(workflow.all_handlers_finished)
        self._teller.stop()
        await telling
        news = await self._teller.tell_the_rest()
        return {**change_document(record), "news": None if news is None else news.model_dump(mode="json")}

    async def _plan(self) -> None:
        planning = self._calls.plan()
        await wait_condition(lambda: planning.done() or self._change.ended or self._must_go_on_anew())
        if self._change.ended:
            planning.cancel()  # who cancelled is not kept waiting for a plan that nobody wants
            return
        try:
            self._change.planned(await self._answer_of(planning), workflow.now())
        except ActivityError as error:
            self._change.failed(failures.reason(error), workflow.now(), denied=failures.is_denied(error))

    async def _wait_for_votes(self) -> None:
        if self.is_full(self._request.history_limit):
            await self._go_on_anew()
        due = self._change.next_due()
        timeout = None if due is None else max(due - workflow.now(), timedelta(0))
        self._changed = False
        try:
            await wait_condition(
                lambda: self._changed or self.is_full(self._request.history_limit),
                timeout=timeout,
                timeout_summary="approval: page again or escalate",
            )
        except TimeoutError:
            self._change.pass_time(workflow.now())
            self._tell()

    async def _wait_for_evidence(self) -> None:
        """Let evidence be initiated first; containment waits neither for its end nor for longer than the box."""
        if self._wait_for is None:
            return
        self._takes_time = True
        self._tell()
        until = workflow.now() + self._wait_for
        try:
            await wait_condition(
                lambda: self._evidence_begun or self._must_go_on_anew(),
                timeout=self._wait_for,
                timeout_summary="evidence first",
            )
        except TimeoutError:
            self._change.evidence_forgone(workflow.now())
        else:
            if not self._evidence_begun:
                self._wait_for = max(until - workflow.now(), timedelta(0))
                await self._go_on_anew()
        self._wait_for = None

    async def _apply_and_verify(self, plan: Plan) -> None:
        """Apply, unless that is on record already, and look until the world is as planned.

        An attempt that was cut finds its own intent in the ledger, so that it never acts twice.
        """
        record = self._change.record
        try:
            if record.status is ChangeStatus.APPLYING:
                self._change.applied(await self._told_while(self._calls.apply(plan)), workflow.now())
            if record.status is not ChangeStatus.VERIFYING:
                return
            verified = await self._verified(plan)
        except ActivityError as error:
            reason = failures.reason(error)
            unverified = reason if record.status is ChangeStatus.VERIFYING else None
            self._change.failed(reason, workflow.now(), denied=failures.is_denied(error))
            if not failures.is_superseded(error):  # the life that goes on holds the locks under the same name
                await self._released(self._calls.release(plan, unverified))
        else:
            self._change.verified(verified.message, workflow.now())

    async def _verified(self, plan: Plan) -> Verified:
        """Look until the world is as planned; again where AWS could not be asked at the end of the time."""
        until = workflow.now() + profiles.TROUBLE
        while True:
            try:
                return await self._told_while(self._calls.verify(plan))
            except ActivityError as error:
                if workflow.now() > until or not failures.is_trouble(error):
                    raise

    async def _released(self, releasing: "asyncio.Task[None]") -> None:
        """Wait for what may take as long as AWS's trouble does; how the change ended is told meanwhile."""
        self._releasing = True
        self._tell()
        try:
            await releasing
        except ActivityError as error:
            workflow.logger.warning("it is not on record how the change ended: %s", failures.reason(error))

    async def _told_while(self, doing: "asyncio.Future[T]") -> T:
        """Wait for an activity; say that it is under way only where it is not over at once."""
        try:
            await wait_condition(
                lambda: doing.done() or self._must_go_on_anew(), timeout=_AT_ONCE, timeout_summary="still at it"
            )
        except TimeoutError:
            self._takes_time = True
            self._tell()
        return await self._answer_of(doing)

    async def _answer_of(self, doing: "asyncio.Future[T]") -> T:
        """The answer of an activity; where the history cannot wait for it, another run asks for it again."""
        await wait_condition(lambda: doing.done() or self._must_go_on_anew())
        if not doing.done():
            doing.cancel()
            await self._go_on_anew()
        return await doing

    def _must_go_on_anew(self) -> bool:
        return self.is_full(self._request.history_limit, amid=True)

    async def _go_on_anew(self) -> None:
        """Carry on as a new run, which has the votes and what the incident is still to hear."""
        await wait_condition(lambda: workflow.all_handlers_finished() and not self._teller.saying)
        waits = None if self._evidence_begun else self._wait_for
        workflow.continue_as_new(
            self._change.next_run(workflow.now(), by_signal=self._teller.by_signal, wait_for_evidence=waits)
        )

    def _tell(self) -> None:
        """Have what is new told to the incident; the next activity does not wait for it.

        The vote that decides is told together with what came of it, unless that takes time; the end by the result.
        """
        if self._change.ended and not self._has_told_end:  # its incident may be over once it has heard that
            self._has_told_end = True
            self._change.tell_refusals(workflow.now())
        workflow.set_current_details(details_of_change(self._request.title, self._change.record))
        self._teller.tell()

    def _can_wait(self) -> bool:
        if self._releasing:  # which may take as long as AWS's trouble does
            return False
        record = self._change.record
        if any(vote.break_glass is not None for vote in record.approvals):  # who has to hear of it, hears at once
            return self._change.ended
        return self._change.ended or (record.status is ChangeStatus.APPLYING and not self._takes_time)

    def to_prove(self, name: str, command: Command, sender: str | None) -> ClaimAsked | None:
        """Outside a sandbox a vote and a cancellation are proven, over this plan; its incident's own are sealed."""
        about, record = self._request.about, self._change.record
        if not self._request.proofs or (command.by == ORCHESTRATOR and sender == about.incident):
            return None
        digest = command.digest if isinstance(command, Approve) else record.plan.digest if record.plan else None
        subject = of_vote(record.workflow_id, digest)
        if isinstance(command, BreakGlass):
            name, subject = acts.BREAK_GLASS, of_break_glass(command.digest, command.reason)
        return ClaimAsked(
            environment=about.environment,
            incident=about.incident,
            step=record.step,
            generation=record.generation,
            act=name,
            subject=subject,
            by=command.by,
            proof=command.proof,
        )

    def hear(self, name: str, command: Command) -> str | None:
        """Take a vote or a cancellation; a refusal goes into the incident's timeline, so that none is turned away."""
        reason = self._change.hear(name, command, workflow.now())
        self._changed = True
        self._tell()
        return reason

    def refuse(self, name: str, by: str, reason: str) -> None:
        """Put on record that something was refused."""
        self._change.refuse(name, by, reason, workflow.now())
        self._tell()

    def disbelieve(self, what: str, why: str) -> bool:
        """Put it on record."""
        self._change.disbelieve(what, why, workflow.now())
        self._tell()
        return True

    async def refuse_cancel(self) -> None:
        """Put on record that the workflow was to be cancelled; the incident pages."""
        self._change.refuse_cancel(workflow.now())
        self._tell()

    def learn(self, name: str, message: BaseModel) -> str | None:
        """Hear who commands or stands in, that evidence to come first is under way, that nobody awaits the result."""
        match name:
            case "commander_is" if isinstance(message, Commander):
                self._change.commander_is(message.commander, workflow.now(), message.at)
                self._changed = True
            case "stand_ins_are" if isinstance(message, StandIns):
                self._change.stand_ins_are(message, workflow.now())
                self._changed = True
            case "evidence_begun":
                self._evidence_begun = True
            case "tell_by_signal" if isinstance(message, Life):
                self._change.goes_on(message)
                self._teller.tell_by_signal()
        return None

    def may_say(self, name: str, sender: str) -> bool:  # noqa: ARG002 - all of it is its incident's to say
        """Its own incident alone speaks to a change."""
        return sender == self._request.about.incident

    async def answer(self) -> dict[str, Any]:
        """The change as it stands."""
        return change_document(self._change.record)

    @workflow.query
    def state(self) -> dict[str, Any]:
        """The change as `incident show` prints it."""
        return change_document(self._change.record)
