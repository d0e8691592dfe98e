"""What an incident has done outside: probes, pages, notices, changes and linked incidents."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.config.runbook import ChangeStep, NoticeStep, ProbeStep
    from domain.model.activity_io import NoticeCall, Noticed, ObserveCall, PageCall, Paged
    from domain.model.effects import Effect, OpenIncident, SendNotice, SendPage, StartChange, TellChanges
    from domain.model.finding import Finding, FindingStatus
    from domain.model.state import IncidentRun
    from domain.rules import change_requests, findings, follow_up, notices
    from domain.rules.change import ChangeRequest
    from domain.rules.incident import Incident as Rules
    from domain.values import ids
    from domain.values.severity import Severity
    from domain.values.timestamps import stamp

from workflows import failures, profiles, search_attributes

EVIDENCE_BOX = timedelta(minutes=5)
"""Policy time: how long containment waits at most for evidence to be under way."""


class Errands:
    """Runs what the rules ask for beside the incident's loop; `news` tells the loop of every end."""

    def __init__(self, rules: Rules, news: Callable[[], None]) -> None:
        self._rules = rules
        self._news = news
        self._tasks: set[asyncio.Task[None]] = set()
        self._working = 0
        self._starting: set[str] = set()

    @property
    def running(self) -> bool:
        return self._working > 0

    @property
    def beginning(self) -> bool:
        """Whether a change was asked for whose workflow the server has not begun yet."""
        return bool(self._starting) or any(isinstance(effect, StartChange) for effect in self._rules.effects)

    def observe(self) -> None:
        """Start every probe of every phase at once, one time; none of them can stop the incident."""
        if not self._rules.state.probes_started:
            self._rules.state.probes_started = True
            for step in findings.probes(self._rules.declaration.runbook):
                self._spawn(self._probe(step))

    def run_effects(self) -> None:
        """Start what the rules want done."""
        effects, self._rules.effects = self._rules.effects, []
        for effect in effects:
            if isinstance(effect, StartChange):
                self._starting.add(effect.record.workflow_id)
            self._spawn(self._do(effect))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        async def run() -> None:
            try:
                await work
            finally:
                self._working -= 1
                self._news()

        self._working += 1
        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _probe(self, step: ProbeStep) -> None:
        denied = False
        call = ObserveCall(
            scope=self._rules.declaration.scope(self._rules.state.severity),
            step=step.id,
            params=step.params,
            at=workflow.now(),
        )
        try:
            finding = await workflow.execute_activity(
                f"{step.probe}.observe", call, result_type=Finding, **self._options(profiles.OBSERVE, step.title)
            )
        except ActivityError as error:
            denied = failures.is_denied(error)
            finding = Finding(status=FindingStatus.UNKNOWN, summary=failures.reason(error))
        findings.found(self._rules, step, finding, workflow.now(), denied=denied)

    async def _do(self, effect: Effect) -> None:
        match effect:
            case SendPage():
                await self._page(effect)
            case SendNotice():
                await self._notify(effect)
            case StartChange():
                await self._start_change(effect)
            case TellChanges():
                await self._tell_changes(effect)
            case OpenIncident():
                await self._open(effect)

    def _options(self, profile: profiles.Profile, summary: str) -> dict[str, Any]:
        return profiles.with_profile(profile, self._rules.state.severity, summary)

    async def _page(self, page: SendPage) -> None:
        verb = "Remind" if page.by_mail else "Page"
        sender = self._rules.declaration.environment.notifications
        call = PageCall(
            page_id=page.page_id,
            incident=self._rules.declaration.incident_id,
            to=page.contact.id,
            role=page.role,
            channels=page.contact.mail_first() if page.by_mail else page.contact.channels,
            sender_mail=sender.mail_sender,
            sender_sms=sender.sms_sender,
            subject=page.subject,
            body=page.body,
        )
        try:
            await workflow.execute_activity(
                "people.page", call, result_type=Paged, **self._options(profiles.PAGE, f"{verb} {page.contact.id}")
            )
        except ActivityError as error:
            text = f"{page.contact.id} could not be paged: {failures.reason(error)}"
            self._rules.record(workflow.now(), "orchestrator", "page-failed", text, {"to": page.contact.id})

    async def _notify(self, notice: SendNotice) -> None:
        step = self._rules.declaration.runbook.step(notice.step)
        if not isinstance(step, NoticeStep):
            raise ApplicationError(f"{notice.step} is no notice of this runbook", non_retryable=True)
        call = NoticeCall(
            scope=self._rules.declaration.scope(self._rules.state.severity),
            step=step.id,
            params=step.params,
            sequence=notice.sequence,
        )
        try:
            told = await workflow.execute_activity(
                f"{step.notice}.send", call, result_type=Noticed, **self._options(profiles.NOTICE, step.title)
            )
        except ActivityError as error:
            notices.failed(self._rules, step.id, failures.reason(error), workflow.now())
            if failures.is_denied(error):
                change_requests.lost_hands(self._rules, step.notice, workflow.now())
        else:
            notices.sent(self._rules, step.id, told.reference, told.text, workflow.now())

    async def _start_change(self, start: StartChange) -> None:
        rules, record = self._rules, start.record
        step = rules.declaration.runbook.step(record.step)
        title = step.title if isinstance(step, ChangeStep) else record.step
        request = ChangeRequest(
            scope=rules.declaration.scope(rules.state.severity),
            organisation=rules.declaration.organisation,
            record=record,
            title=f"Undo: {title}" if start.undo else title,
            rule=step.approval if isinstance(step, ChangeStep) else None,
            approve_within=rules.policy.approve,
            commander=rules.state.commander,
            undo=start.undo,
            evidence=isinstance(step, ChangeStep) and step.evidence,
            wait_for_evidence=self._evidence_box(step),
        )
        try:
            await workflow.start_child_workflow(
                "Change",
                request,
                id=record.workflow_id,
                task_queue=ids.INCIDENTS_QUEUE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=profiles.short(request.title),
                static_details=f"{record.action}, requested by {record.requested_by}",
                search_attributes=self._child_attributes(),
                priority=profiles.priority(rules.state.severity),
            )
        finally:
            self._starting.discard(record.workflow_id)

    def _evidence_box(self, step: object) -> timedelta | None:
        if isinstance(step, ChangeStep) and change_requests.evidence_pending(self._rules, step):
            return self._rules.scaled(EVIDENCE_BOX)
        return None

    async def leave_follow_up(self) -> None:
        """Let what is left to do live on by itself, once: it reminds its owners until it is done."""
        following = follow_up.left(self._rules)
        if following is None:
            return
        declaration = self._rules.declaration
        await workflow.start_child_workflow(
            "FollowUp",
            following,
            id=ids.follow_up_workflow_id(declaration.incident_id),
            task_queue=ids.INCIDENTS_QUEUE,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=profiles.short(f"Follow-up: {declaration.title}"),
            search_attributes=self._child_attributes(),
            priority=profiles.priority(Severity.P3),
        )

    async def _open(self, opening: OpenIncident) -> None:
        """Declare an incident of another type beside this one; it lives on by itself."""
        now, declaration = workflow.now(), self._rules.declaration
        for attempt in range(1000):
            opened = declaration.opening(opening.type, ids.incident_id(now, attempt), now)
            try:
                await workflow.start_child_workflow(
                    "Incident",
                    IncidentRun(declaration=opened),
                    id=opened.incident_id,
                    task_queue=ids.INCIDENTS_QUEUE,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                    static_summary=profiles.short(opened.title),
                    static_details=f"Opened by {declaration.incident_id}",
                    priority=profiles.priority(opened.severity),
                    memo={"title": opened.title, "declared_at": stamp(now)},
                )
            except WorkflowAlreadyStartedError:
                continue
            findings.linked(self._rules, opening.type, opened.incident_id, now)
            return

    async def _tell_changes(self, tell: TellChanges) -> None:
        for workflow_id in tell.workflow_ids:
            # the server may send a signal before it has started a child that was asked for earlier
            await workflow.wait_condition(lambda name=workflow_id: name not in self._starting)  # type: ignore[misc]
            handle = workflow.get_external_workflow_handle(workflow_id)
            try:
                await handle.signal(tell.signal, tell.payload)
            except ApplicationError:
                # it told its end before it ended, so one that is still in flight here was terminated
                change_requests.gone(self._rules, workflow_id, workflow.now())

    def _child_attributes(self) -> Any:
        state = self._rules.state
        return search_attributes.pairs(
            self._rules.declaration.runbook.id, state.severity.value, self._rules.declaration.mode
        )
