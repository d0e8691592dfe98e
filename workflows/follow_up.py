"""What was left to do when an incident was closed: its owners are reminded until it is done or waived."""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain.model.activity_io import FollowCall
    from domain.model.commands import Command, CompleteTask, Note, WaiveTask
    from domain.rules import ledger_progress, tasks
    from domain.rules.clock import Due
    from domain.rules.follow_up import FollowUpRun, handle, refusal, tasks_document
    from domain.rules.incident import Incident as Rules

from workflows import failures, profiles
from workflows.effect_runner import Errands
from workflows.message_handlers import hears
from workflows.search_attributes import WAITING_FOR
from workflows.timer import Alarm

COMMANDS: dict[str, type[Command]] = {"complete_task": CompleteTask, "waive_task": WaiveTask, "note": Note}


@workflow.defn(name="FollowUp")
@hears(COMMANDS)
class FollowUp:
    """Lives on after its incident. What happens here is written behind the incident's closed chain."""

    @workflow.init
    def __init__(self, run: FollowUpRun) -> None:
        self._rules = Rules(run.declaration, run.state)
        self._written = run.written
        self._changed = False
        self._alarm = Alarm(self._news)
        self._errands = Errands(self._rules, self._news)
        self._waiting: list[str] = []

    @workflow.run
    async def run(self, run: FollowUpRun) -> dict[str, Any]:
        """Live until every task has ended; returns how each did."""
        while True:
            tasks.remind(self._rules, workflow.now())
            self._errands.run_effects()
            self._publish()
            await self._write()
            if not self._waiting and not self._errands.running:
                break
            if workflow.info().is_continue_as_new_suggested() and not self._errands.running:
                await workflow.wait_condition(workflow.all_handlers_finished)
                ledger_progress.forget(self._rules)
                following = run.model_copy(update={"state": self._rules.state, "written": self._written})
                workflow.continue_as_new(following)
            self._alarm.set(next((Due(at, what) for at, what in sorted(tasks.upcoming(self._rules))), None))
            await workflow.wait_condition(lambda: self._changed)
            self._changed = False
        await workflow.wait_condition(workflow.all_handlers_finished)
        return tasks_document(self._rules)

    def _publish(self) -> None:
        waiting = list(dict.fromkeys(task.owner for task in self._rules.state.tasks if task.status == "open"))
        if waiting != self._waiting:
            self._waiting = waiting
            workflow.upsert_search_attributes([WAITING_FOR.value_set(waiting)])
        lines = [f"- {task.step}: **{task.status}** {task.title}" for task in self._rules.state.tasks]
        workflow.set_current_details("\n".join(lines))

    async def _write(self) -> None:
        """Write what is new behind the chain, one entry after the other, for as long as it takes."""
        timeline, declaration = self._rules.state.timeline, self._rules.declaration
        while self._written < timeline.length:
            entry = timeline.after(self._written, 1)[0]
            call = FollowCall(
                incident=declaration.incident_id,
                environment=declaration.environment,
                number=entry.seq,
                at=entry.at,
                actor=entry.actor,
                kind=entry.kind,
                text=entry.text,
                data=entry.data,
            )
            profile = profiles.with_profile(profiles.LEDGER, self._rules.state.severity, "Write the ledger")
            try:
                await workflow.execute_activity("ledger.follow", call, **profile)
            except ActivityError as error:
                workflow.logger.warning("the ledger cannot be written: %s", failures.reason(error))
                await workflow.sleep(profiles.LEDGER_AGAIN, summary="try the ledger again")
            else:
                self._written += 1

    def _news(self) -> None:
        self._changed = True

    def refuse_early(self, name: str, command: Command) -> str | None:  # noqa: ARG002 - the command's model tells
        """Turn an update away at once; nothing of it enters history."""
        return refusal(self._rules, command)

    def hear(self, name: str, command: Command) -> str | None:
        """Do a command; a refused one goes on record."""
        reason = handle(self._rules, name, command, workflow.now())
        self._news()
        return reason

    def unreadable(self, name: str, payload: Any, problem: str) -> None:  # noqa: ARG002 - the payload may hold anything
        """Put a signal that cannot be read on record as refused."""
        self._rules.record(workflow.now(), "unknown", "refused", f"Refused {name}: {problem}", {"command": name})
        self._news()

    async def answer(self) -> dict[str, Any]:
        """The tasks as they stand."""
        return tasks_document(self._rules)

    @workflow.query
    def state(self) -> dict[str, Any]:
        """The tasks as they stand."""
        return tasks_document(self._rules)
