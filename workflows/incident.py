"""One incident, from its declaration until it is closed: this workflow is the incident."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeUpdate, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain import alerts, change_requests, clock, ids, ledger, lifecycle, notices, probing
    from domain.calls import AppendCall, Appended, NoticeCall, Noticed, ObserveCall, PageCall, Paged
    from domain.change import ChangeRequest
    from domain.commands import INCIDENT_COMMANDS, Command
    from domain.declaration import Alert, KeyHold
    from domain.document import document, stamp, timeline_document
    from domain.effects import Effect, OpenIncident, SendNotice, SendPage, StartChange, TellChanges
    from domain.finding import Finding, FindingStatus
    from domain.incident import Incident as Rules
    from domain.incident_state import ChangeProgress, IncidentRun
    from domain.runbook import ChangeStep, NoticeStep, ProbeStep
    from domain.timeline import bounded

from workflows import attributes, failures, options
from workflows.details import details
from workflows.hearing import hears

EVIDENCE_BOX = timedelta(minutes=5)
"""Policy time: how long containment waits at most for evidence to be under way."""


@workflow.defn(name="Incident")
@hears(INCIDENT_COMMANDS)
class Incident:
    """Pages, probes, keeps every deadline, hears people, and starts the changes they ask for."""

    @workflow.init
    def __init__(self, run: IncidentRun) -> None:
        if run.state is None:
            self._rules = Rules.declared(run.declaration)
            change_requests.preserve_evidence(self._rules, run.declaration.declared_at)
        else:
            self._rules = Rules(run.declaration, run.state)
        clock.fire(self._rules, workflow.now())
        self._tasks: set[asyncio.Task[None]] = set()
        self._working = 0
        self._writing = False
        self._writer: asyncio.Task[None] | None = None
        self._starting: set[str] = set()
        self._changed = False
        self._published: tuple[str, ...] = ()

    @workflow.run
    async def run(self, run: IncidentRun) -> dict[str, Any]:  # noqa: ARG002 - `__init__` has taken it
        """Live until the incident has ended; returns the final account: the state and the timeline."""
        self._observe()
        while True:
            clock.fire(self._rules, workflow.now())
            self._do_effects()
            self._plan_dry_run()
            self._publish()
            self._keep_ledger()
            if self._is_over():
                break
            if self._must_continue_as_new():
                await workflow.wait_condition(workflow.all_handlers_finished)
                ledger.shorten(self._rules)
                workflow.continue_as_new(IncidentRun(declaration=self._rules.declaration, state=self._rules.state))
            await self._wait_for_news()
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self._release_key()
        return {"state": document(self._rules), "timeline": timeline_document(self._rules)}

    async def _wait_for_news(self) -> None:
        """Sleep until the next thing is due or something has been heard: one timer, whatever the clocks."""
        due = clock.next_due(self._rules)
        timeout = None if due is None else max(due.at - workflow.now(), timedelta(0))
        summary = None if due is None else options.short(f"next: {due.what}")
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._changed, timeout=timeout, timeout_summary=summary)
        self._changed = False

    def _is_over(self) -> bool:
        rules = self._rules
        busy = self._working or self._writing or rules.changes_in_flight() or clock.next_due(rules) is not None
        return rules.ended and not busy

    def _must_continue_as_new(self) -> bool:
        info = workflow.info()
        long = info.get_current_history_length() >= self._rules.declaration.history_limit
        return (long or info.is_continue_as_new_suggested()) and not self._working and not self._rules.effects

    # What goes out

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do work beside the loop, which learns of its end."""

        async def run() -> None:
            try:
                await work
            finally:
                self._working -= 1
                self._changed = True

        self._working += 1
        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _observe(self) -> None:
        """Start every probe of every phase at once; none of them can stop the incident."""
        if not self._rules.state.probes_started:
            self._rules.state.probes_started = True
            for step in probing.probes(self._rules.declaration.runbook):
                self._spawn(self._probe(step))

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
                f"{step.probe}.observe", call, result_type=Finding, **self._options(options.OBSERVE, step.title)
            )
        except ActivityError as error:
            denied = failures.is_denied(error)
            finding = Finding(status=FindingStatus.UNKNOWN, summary=failures.reason(error))
        probing.found(self._rules, step, finding, workflow.now(), denied=denied)

    def _do_effects(self) -> None:
        effects, self._rules.effects = self._rules.effects, []
        for effect in effects:
            if isinstance(effect, StartChange):
                self._starting.add(effect.record.workflow_id)
            self._spawn(self._do(effect))

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

    def _options(self, profile: options.Profile, summary: str) -> dict[str, Any]:
        return options.with_profile(profile, self._rules.state.severity, summary)

    async def _page(self, page: SendPage) -> None:
        sender = self._rules.declaration.environment.notifications
        call = PageCall(
            page_id=page.page_id,
            incident=self._rules.declaration.incident_id,
            to=page.contact.id,
            role=page.role,
            channels=page.contact.channels,
            sender_mail=sender.mail_sender,
            sender_sms=sender.sms_sender,
            subject=page.subject,
            body=page.body,
        )
        try:
            await workflow.execute_activity(
                "people.page", call, result_type=Paged, **self._options(options.PAGE, f"Page {page.contact.id}")
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
                f"{step.notice}.send", call, result_type=Noticed, **self._options(options.NOTICE, step.title)
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
                static_summary=options.short(request.title),
                static_details=f"{record.action}, requested by {record.requested_by}",
                search_attributes=self._child_attributes(),
                priority=options.priority(rules.state.severity),
            )
        finally:
            self._starting.discard(record.workflow_id)

    def _evidence_box(self, step: object) -> timedelta | None:
        if isinstance(step, ChangeStep) and change_requests.evidence_pending(self._rules, step):
            return self._rules.scaled(EVIDENCE_BOX)
        return None

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
                    static_summary=options.short(opened.title),
                    static_details=f"Opened by {declaration.incident_id}",
                    priority=options.priority(opened.severity),
                    memo={"title": opened.title, "declared_at": stamp(now)},
                )
            except WorkflowAlreadyStartedError:
                continue
            probing.linked(self._rules, opening.type, opened.incident_id, now)
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

    async def _release_key(self) -> None:
        """Give the alert's key back; a starter that finds it held by a closed incident takes it anyway."""
        key = self._rules.declaration.key
        if key is None:
            return
        try:
            hold = KeyHold(incident_id=self._rules.declaration.incident_id)
            await workflow.get_external_workflow_handle(ids.key_workflow_id(key)).signal("release", hold)
        except ApplicationError:
            workflow.logger.info("the key is free already")

    def _keep_ledger(self) -> None:
        """Write what is new into the ledger, beside everything else: the response never waits for it."""
        if not self._writing and ledger.is_behind(self._rules):
            self._writing = True
            self._writer = asyncio.create_task(self._write_ledger())

    async def _write_ledger(self) -> None:
        while ledger.is_behind(self._rules):
            call = AppendCall(
                incident=self._rules.declaration.incident_id,
                environment=self._rules.declaration.environment,
                epoch=self._rules.state.ledger.epoch,
                entries=ledger.next_batch(self._rules, workflow.now()),
            )
            try:
                done = await workflow.execute_activity(
                    "ledger.append", call, result_type=Appended, **self._options(options.LEDGER, "Write the ledger")
                )
            except ActivityError as error:
                workflow.logger.warning("the ledger cannot be written: %s", failures.reason(error))
                self._changed = True  # its clock runs: the loop must know when it is due
                await workflow.sleep(options.LEDGER_AGAIN, summary="try the ledger again")
            else:
                ledger.written(self._rules, done.written, done.epoch, workflow.now())
        self._writing = False
        self._changed = True

    def _plan_dry_run(self) -> None:
        """In a dry run: once the probes have answered, plan every change that needs no answer, then end."""
        rules = self._rules
        if rules.declaration.mode != "dry-run" or rules.ended or self._working or rules.effects:
            return
        if not rules.state.changes:
            change_requests.request_all(rules, workflow.now())
            self._do_effects()
        if not rules.changes_in_flight() and not self._working:
            lifecycle.end_dry_run(rules, workflow.now())

    # What the Temporal UI shows

    def _publish(self) -> None:
        state = self._rules.state
        waiting = self._rules.waiting_for()
        shown = (state.severity.value, state.status.value, *waiting)
        if shown != self._published:
            first, self._published = not self._published, shown
            updates: list[SearchAttributeUpdate[Any]] = [
                attributes.INCIDENT_SEVERITY.value_set(state.severity.value),
                attributes.INCIDENT_STATUS.value_set(state.status.value),
                attributes.WAITING_FOR.value_set(waiting),
            ]
            if first:
                updates += [
                    attributes.INCIDENT_TYPE.value_set(self._rules.declaration.runbook.id),
                    attributes.INCIDENT_MODE.value_set(self._rules.declaration.mode),
                ]
            workflow.upsert_search_attributes(updates)
        workflow.set_current_details(details(self._rules))

    def _child_attributes(self) -> Any:
        state = self._rules.state
        return attributes.pairs(self._rules.declaration.runbook.id, state.severity.value, self._rules.declaration.mode)

    # What comes in

    def refuse_early(self, name: str, command: Command) -> str | None:
        """Turn an update away at once; nothing of it enters history."""
        return lifecycle.refusal(self._rules, name, command)

    def hear(self, name: str, command: Command) -> str | None:
        """Do a command; a refused one goes on record."""
        reason = lifecycle.handle(self._rules, name, command, workflow.now())
        self._changed = True
        return reason

    def unreadable(self, name: str, payload: Any, problem: str) -> None:
        """Put a signal that cannot be read on record as refused; its content may hold anything and stays out."""
        by = payload.get("by") if isinstance(payload, dict) else None
        lifecycle.refuse(self._rules, name, bounded(by), problem, workflow.now())
        self._changed = True

    def answer(self) -> dict[str, Any]:
        """The incident as it stands."""
        return document(self._rules)

    @workflow.signal
    def change_progress(self, progress: ChangeProgress) -> None:
        """Learn from a change's workflow where it stands."""
        change_requests.progress(self._rules, progress, workflow.now())
        self._changed = True

    @workflow.signal
    def alert(self, alert: Alert) -> None:
        """Hear of another alert under this incident's key."""
        alerts.duplicate(self._rules, alert.by, alert.text, workflow.now())
        self._changed = True

    @workflow.signal(dynamic=True)
    def unknown(self, name: str, args: Sequence[RawValue]) -> None:  # noqa: ARG002 - an unknown payload is not read
        """Put a signal of an unknown name on record as refused."""
        lifecycle.refuse(self._rules, name, "unknown", "there is no such command", workflow.now())
        self._changed = True

    @workflow.query
    def state(self) -> dict[str, Any]:
        """The document that `incident show --json` prints."""
        return document(self._rules)

    @workflow.query
    def timeline(self) -> list[dict[str, Any]]:
        """Every entry of the timeline, oldest first."""
        return timeline_document(self._rules)
