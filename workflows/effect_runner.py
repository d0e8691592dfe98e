"""What an incident has done outside: probes, pages, notices, changes and linked incidents."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.config.runbook import RECORD, NoticeStep, ProbeStep
    from domain.model.activity_io import ChangeAsked, ChangeOutcome, Noticed, NoticeRequest, ObserveRequest
    from domain.model.effects import (
        REPEATABLE,
        Effect,
        LookUp,
        Observe,
        OpenIncident,
        Send,
        SendNotice,
        StartChange,
        TellChanges,
    )
    from domain.model.event_kinds import Happening
    from domain.model.finding import Finding, FindingStatus
    from domain.model.work_events import NoticeMoved
    from domain.rules import change_outcomes, findings, links
    from domain.rules.access import denied_access
    from domain.rules.change_messages import ChangeEnd, ChangeNews, ChangeRequest, Life
    from domain.rules.live import LiveIncident

from workflows import declaring, failures, profiles, search_attributes
from workflows.asking import StrangeAnswerError, ask, read
from workflows.messenger import Messenger
from workflows.uncancelled import wait_condition


class EffectRunner:
    """Carries out what the rules ask for, beside the incident's loop; `news` tells the loop of every end."""

    def __init__(
        self, incident: LiveIncident, news: Callable[[], None], all_heard: Callable[[], Awaitable[None]], term: int
    ) -> None:
        self._incident = incident
        self._term = term
        self._news = news
        self._all_heard = all_heard
        self._tasks: set[asyncio.Task[None]] = set()
        self._again: set[asyncio.Task[None]] = set()
        self._starting: set[str] = set()
        self._awaited: dict[str, asyncio.Task[None]] = {}
        self._messenger = Messenger(incident)

    @property
    def running(self) -> bool:
        return bool(self._tasks)

    @property
    def can_begin_again(self) -> bool:
        """Whether nothing is under way but what another run can do once more: probes, pages, notices."""
        return self._tasks <= self._again

    @property
    def beginning(self) -> bool:
        """Whether a change was asked for whose workflow the server has not begun yet."""
        return bool(self._starting) or any(isinstance(effect, StartChange) for effect in self._incident.effects)

    @property
    def awaiting_changes(self) -> bool:
        """Whether the end of a change is to come by its result, which only this run can hear."""
        return bool(self._awaited)

    async def let_changes_go(self) -> None:
        """Have changes under way tell their end by signal, as this run is about to end; wait for those that ended."""
        for workflow_id, ending in list(self._awaited.items()):
            if await self._asked_to_tell(workflow_id):
                self._awaited.pop(workflow_id, None)
            else:
                await workflow.wait([ending])

    def run_effects(self) -> None:
        """Start what the rules want done."""
        effects, self._incident.effects = self._incident.effects, []
        sends = [effect for effect in effects if isinstance(effect, Send)]
        waves = [[one for one in sends if one.message == message] for message in ("page", "mail")]
        waves = [wave for wave in waves if len(wave) > 1]
        for effect in effects:
            if isinstance(effect, StartChange):
                self._starting.add(effect.workflow_id)
            if not any(effect in wave for wave in waves):
                self._begin(self._do(effect), again=isinstance(effect, REPEATABLE))
        for wave in waves:
            self._begin(self._messenger.send_wave(wave), again=True)

    def _begin(self, work: Coroutine[Any, Any, None], *, again: bool) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        if again:
            self._again.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._again.discard(task)
        self._news()

    def _do(self, effect: Effect) -> Coroutine[Any, Any, None]:
        match effect:
            case Observe():
                return self._observe(effect)
            case Send():
                return self._messenger.send(effect)
            case SendNotice():
                return self._notify(effect)
            case StartChange():
                return self._start_change(effect)
            case LookUp():
                return self._look_up(effect)
            case TellChanges():
                return self._tell_changes(effect)
            case OpenIncident():
                return self._open(effect)

    def _take(self, happenings: Iterable[Happening], answer: str) -> None:
        self._incident.take(happenings, workflow.now(), {"answer": answer})

    def _options(self, profile: profiles.Profile, summary: str) -> dict[str, Any]:
        return profiles.with_profile(profile, self._incident.state.severity, summary)

    async def _observe(self, look: Observe) -> None:
        state = self._incident.state
        step = state.declaration.runbook.step(look.step)
        if not isinstance(step, ProbeStep):
            raise ApplicationError(f"{look.step} is no probe of this runbook", non_retryable=True)
        call = ObserveRequest(about=state.about, step=step.id, params=step.params, at=workflow.now())
        name, denied = f"{step.probe}.observe", False
        profile = profiles.STUDY if step.probe.startswith(RECORD) else profiles.OBSERVE
        try:
            finding = await ask(name, Finding, self._options(profile, step.title), call)
        except ActivityError as error:
            denied = failures.is_denied(error)
            finding = Finding(status=FindingStatus.UNKNOWN, summary=failures.reason(error))
        self._take(findings.found(state, step, finding, denied=denied), name)

    async def _notify(self, notice: SendNotice) -> None:
        state = self._incident.state
        step, sequence = state.declaration.runbook.step(notice.step), state.notice(notice.step).sequence
        if not isinstance(step, NoticeStep) or sequence is None:
            raise ApplicationError(f"{notice.step} is no notice of this runbook", non_retryable=True)
        call = NoticeRequest(about=state.about, step=step.id, params=step.params, sequence=sequence)
        name = f"{step.notice}.send"
        try:
            told = await ask(name, Noticed, self._options(profiles.NOTICE, step.title), call)
        except ActivityError as error:
            failed = NoticeMoved(step=step.id, status="failed", reason=failures.reason(error))
            self._take([Happening(failed)], name)
            if failures.is_denied(error):
                self._take(denied_access(state, step.notice), name)
        else:
            sent = NoticeMoved(step=step.id, status="sent", reference=told.reference, text=told.text, code=told.code)
            self._take([Happening(sent)], name)

    async def _start_change(self, start: StartChange) -> None:
        """Start the workflow of a change; one that is there already goes on as it is."""
        state = self._incident.state
        record = state.change(start.workflow_id)
        if record is None:
            raise ApplicationError(f"{start.workflow_id} is no change of this incident", non_retryable=True)
        if not record.in_flight:  # its workflow may still wait for somebody who hears how it ended
            self._starting.discard(record.workflow_id)
            await self._asked_to_tell(record.workflow_id)
            return
        request = ChangeRequest.of(state, record, self._term, self._incident.heard.get(record.workflow_id, 0))
        try:
            child = await workflow.start_child_workflow(
                "Change",
                request,
                result_type=RawValue,
                id=record.workflow_id,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=profiles.short(request.title),
                static_details=f"{record.action}, requested by {record.requested_by}",
                search_attributes=self._child_attributes(),
                priority=profiles.priority(state.severity),
            )
        except WorkflowAlreadyStartedError:
            # it runs, as a child of another run or life of the incident; or it did, and nobody awaits how it ended
            if not await self._asked_to_tell(record.workflow_id):
                self._take(change_outcomes.lost(state, record.workflow_id), "signal")
        else:
            self._awaited[record.workflow_id] = asyncio.create_task(self._hear_end(record.workflow_id, child))
        finally:
            self._starting.discard(record.workflow_id)

    async def _hear_end(self, workflow_id: str, child: workflow.ChildWorkflowHandle[Any, RawValue]) -> None:
        try:
            news = read(await child, ChangeEnd).news
        except (ChildWorkflowError, StrangeAnswerError):
            self._take(change_outcomes.lost(self._incident.state, workflow_id), "change")
        else:
            await self._all_heard()  # what it signalled before that comes first
            if news is not None and (reason := self.hear_change(news)) is not None:
                self._incident.refuse("change_progress", workflow_id, reason, workflow.now())
            self._take(change_outcomes.lost(self._incident.state, workflow_id), "change")
        finally:
            self._awaited.pop(workflow_id, None)
        self._news()

    async def _look_up(self, lost: LookUp) -> None:
        """Ask the record what came of a change whose workflow is gone; one that was begun goes on as a new one."""
        state, name = self._incident.state, "changes.outcome"
        record = state.change(lost.workflow_id)
        if record is None:
            raise ApplicationError(f"{lost.workflow_id} is no change of this incident", non_retryable=True)
        call = ChangeAsked(about=state.about, step=record.step, generation=record.generation)
        options = self._options(profiles.LOOK_UP, f"What came of it: {record.title}")
        try:
            outcome = await ask(name, ChangeOutcome, options, call)
        except ActivityError as error:
            outcome = ChangeOutcome(outcome="unread", message=failures.reason(error))
        if record.adrift:
            self._take(change_outcomes.found(state, lost.workflow_id, outcome), name)
            if record.in_flight:
                self._incident.effects.append(StartChange(lost.workflow_id))

    def hear_change(self, news: ChangeNews) -> str | None:
        """Take what a change's workflow says, in the order in which it happened; or the reason why nothing of it."""
        return self._incident.hear_change(news, workflow.now())

    async def _open(self, opening: OpenIncident) -> None:
        """Declare an incident beside this one, or one of its own under a key; it lives on by itself."""
        state, link = self._incident.state, self._incident.state.link(*opening)
        opened = await declaring.declare(
            lambda incident: state.opening(link, incident, workflow.now()),
            f"Opened by {state.id}",
        )
        self._take(links.opened(self._incident.state, opening, opened[0] if opened else None), "open")

    async def _tell_changes(self, tell: TellChanges) -> None:
        for workflow_id in tell.workflow_ids:
            # the server may send a signal before it has started a child that was asked for earlier
            await wait_condition(lambda name=workflow_id: name not in self._starting)  # type: ignore[misc]
            if not await self._signalled(workflow_id, tell.signal, tell.payload) and workflow_id not in self._awaited:
                # it tells its end before it ends, so one that is still in flight here was ended from outside
                self._take(change_outcomes.lost(self._incident.state, workflow_id), "signal")

    async def _asked_to_tell(self, workflow_id: str) -> bool:
        """Have a change say by signal what this life has not heard; tell whether there was somebody to do so."""
        life = Life(term=self._term, heard=self._incident.heard.get(workflow_id, 0))
        return await self._signalled(workflow_id, "tell_by_signal", life)

    async def _signalled(self, workflow_id: str, name: str, said: Any) -> bool:
        """Send a signal, with a payload that can be sealed; tell whether there was somebody to hear it."""
        try:
            await workflow.get_external_workflow_handle(workflow_id).signal(name, said)
        except ApplicationError:
            return False
        return True

    def _child_attributes(self) -> Any:
        declaration = self._incident.state.declaration
        return search_attributes.pairs(declaration.runbook.id, self._incident.state.severity.value, declaration.mode)
