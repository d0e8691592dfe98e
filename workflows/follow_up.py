"""What was left to do when an incident was closed: its owners are reminded until it is done or waived."""

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.model.activity_io import FollowCall
    from domain.model.commands import Command, CompleteTask, Note, WaiveTask
    from domain.model.state import IncidentState
    from domain.rules import decide, tasks
    from domain.rules.clock import Due
    from domain.rules.document import waiting_for
    from domain.rules.ledger_progress import LedgerProgress
    from domain.rules.live import LiveIncident
    from domain.rules.run import FollowUpRun
    from domain.values import ids
    from domain.values.severity import Severity

from workflows import beginnings, failures, profiles, search_attributes
from workflows.asking import ask
from workflows.effect_runner import EffectRunner
from workflows.listener import Listener
from workflows.restore import restored_incident
from workflows.search_attributes import WAITING_FOR
from workflows.uncancelled import uncancelled, wait_condition

COMMANDS: dict[str, type[Command]] = {"complete_task": CompleteTask, "waive_task": WaiveTask, "note": Note}


async def leave_follow_up(state: IncidentState, term: int) -> None:
    """Let what a closed incident leaves to do live on by itself: it reminds its owners until it is done.

    Where a workflow has its name already the incident ends all the same: it goes on, or it is none of ours and the
    watcher misses the first reminder.
    """
    if not tasks.are_left(state):
        return
    declaration = state.declaration
    try:
        await workflow.start_child_workflow(
            "FollowUp",
            FollowUpRun(state=state, term=term),
            id=ids.follow_up_workflow_id(state.id),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=profiles.short(f"Follow-up: {declaration.title}"),
            search_attributes=search_attributes.pairs(declaration.runbook.id, state.severity.value, declaration.mode),
            priority=profiles.priority(Severity.P3),
        )
    except WorkflowAlreadyStartedError:
        workflow.logger.warning("%s runs already", ids.follow_up_workflow_id(state.id))


@workflow.defn(name="FollowUp")
class FollowUp(Listener):
    """Lives on after its incident, on the same state. What happens is written behind the incident's closed chain."""

    commands = COMMANDS

    @workflow.init
    def __init__(self, run: FollowUpRun) -> None:
        super().__init__("the work", decide.rule_refusal)
        self._waiting: list[str] = []
        if run.state is not None and (workflow.info().parent or workflow.info().continued_run_id):
            self._begin(LiveIncident(run.state, run.timeline, run.refusals), run.written, run.term)

    def _begin(self, incident: LiveIncident, written: int, term: int) -> None:
        self._incident = incident
        self._number, self._term = written, term
        self._effects = EffectRunner(incident, self._news, self.all_heard, term)
        self._ready = True

    @workflow.run
    @uncancelled
    async def run(self, run: FollowUpRun) -> dict[str, Any]:
        """Live until every task has ended; returns the incident as it stands then."""
        if not self._ready:
            await self._restore(run)
        while True:
            now = workflow.now()
            self._incident.take(tasks.remind(self._incident.state, now), now)
            self._effects.run_effects()
            self._publish()
            if not self._waiting:
                self._incident.tell_refusals(now)
            await self._write()
            if self._can_go_on_anew() and not self._effects.running:
                if await self._is_still() and self._can_go_on_anew() and not self._incident.effects:
                    self._go_on_anew()
                continue  # what was heard meanwhile comes first, and is written
            if not self._waiting and not self._effects.running:
                await wait_condition(workflow.all_handlers_finished)
                if not (self._incident.timeline.entries or self._incident.refusals.untold):
                    return self._document()
                continue
            reminders = (Due(at, what) for at, what in tasks.upcoming(self._incident.state))
            await self._wait_for_news(min(reminders, default=None))

    @property
    def _limit(self) -> int:
        return self._incident.state.declaration.history_limit

    def _can_go_on_anew(self, *, amid: bool = False) -> bool:
        timeline = self._incident.timeline
        return self.is_full(self._limit, amid=amid) and LedgerProgress(written=timeline.dropped).can_carry(timeline)

    def _go_on_anew(self) -> None:
        incident = self._incident
        incident.tell_refusals(workflow.now())
        left = {"timeline": incident.timeline, "refusals": incident.refusals}
        workflow.continue_as_new(FollowUpRun(state=incident.state, written=self._number, term=self._term, **left))

    async def _restore(self, run: FollowUpRun) -> None:
        """Go on with the work from the record. A state that no run of ours has handed on is refused."""
        if run.restore is None or ids.follow_up_workflow_id(run.restore) != workflow.info().workflow_id:
            await beginnings.refuse_another_follow_up()
        found = await restored_incident(workflow.info())
        self._begin(LiveIncident.restored(found, workflow.now()), found.followed, found.term)

    def _publish(self) -> None:
        waiting = waiting_for(self._incident.state)
        if waiting != self._waiting:
            self._waiting = waiting
            workflow.upsert_search_attributes([WAITING_FOR.value_set(waiting)])
        lines = [f"- {task.step}: **{task.status}** {task.title}" for task in self._incident.state.tasks]
        workflow.set_current_details("\n".join(lines))

    async def _write(self) -> None:
        """Write what is new behind the chain, one entry after the other, for as long as it takes.

        Where the history cannot wait for that, the next run goes on with it: an entry that stands there is found.
        """
        timeline, state = self._incident.timeline, self._incident.state
        while entry := next(iter(timeline.after(timeline.dropped, 1)), None):
            call = FollowCall(
                incident=state.id,
                environment=state.declaration.environment.name,
                number=self._number + 1,
                term=self._term,
                at=entry.at,
                **entry.said(),
            )
            profile = profiles.with_profile(profiles.LEDGER, state.severity, "Write the ledger")
            writing = asyncio.create_task(ask("ledger.follow", type(None), profile, call))
            await wait_condition(lambda: writing.done() or self._can_go_on_anew(amid=True))  # noqa: B023
            if not writing.done():
                writing.cancel()
                return
            try:
                await writing
            except ActivityError as error:
                if failures.is_superseded(error):
                    raise failures.superseded() from error
                workflow.logger.warning("the ledger cannot be written: %s", failures.reason(error))
                await workflow.sleep(profiles.LEDGER_AGAIN, summary="try the ledger again")
            else:
                self._number += 1
                timeline.drop(entry.seq, keep=0)
