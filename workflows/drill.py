"""A drill: injects a fault, declares the incident that people are to respond to, and clears up, whatever happens."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

with workflow.unsafe.imports_passed_through():
    from domain.config.drill import DrillCut
    from domain.config.schedule import MAINTENANCE
    from domain.model.commands import Command
    from domain.model.declaration import Declaration
    from domain.model.drill import (
        DrillEnd,
        DrillLeft,
        DrillOutcome,
        DrillResult,
        DrillRun,
        DrillStop,
        FaultCall,
        PrepareCall,
    )
    from domain.model.proofs import ClaimAsked, of_drill_stop
    from domain.model.scheduled import ScheduledCall, ScheduledRun
    from domain.values import ids
    from domain.values.durations import spoken
    from domain.values.severity import Severity
    from domain.values.timestamps import stamp

from workflows import declaring, failures, profiles
from workflows.asking import StrangeAnswerError, ask, read
from workflows.giving_way import put_off
from workflows.message_handlers import Hears
from workflows.uncancelled import uncancelled, wait_condition

_TO_END = timedelta(seconds=30)
"""Real time for the incident of a drill that is over to come to its end before the fault is withdrawn."""


@workflow.defn(name="Drill")
class Drill(Hears):
    """One drill. The incident and its changes are the workflows of any other, which live by themselves.

    Its history is bounded without a further run: of what it hears nothing comes but its end, and the server takes no
    more than 2,000 updates and 10,000 signals.
    """

    commands: ClassVar = {"stop": DrillStop}

    @workflow.init
    def __init__(self, run: DrillRun) -> None:
        super().__init__()
        self._run = run
        self._scenario: str | None = None
        self._incident: str | None = None
        self._over: tuple[DrillCut, str] | None = None
        self._ending: asyncio.Task[bool] | None = None
        self._proofs = run.proofs
        self._doing = "it waits for its hour"

    @workflow.run
    @uncancelled
    async def run(self, run: DrillRun) -> DrillResult:
        """Prepare, inject, declare, wait for the end, withdraw.

        A fault that could not be withdrawn fails the drill, and is a live incident of its own.
        """
        if busy := await self._put_off():
            return DrillResult(outcome="missed", reason=f"put off {run.days} times: {busy} was open")
        self._doing = "it is prepared"
        call = PrepareCall(run=run, now=workflow.now())
        declaration = await self._ask("drills.prepare", profiles.PREPARE, Declaration, call)
        if declaration.drill is None:
            raise ApplicationError("the declaration is of no drill", non_retryable=True)
        scenario = declaration.drill.scenario
        self._scenario = scenario.id
        self._proofs |= declaration.environment.kind != "sandbox"
        if self._over:  # somebody stopped it while it was put off: nothing is injected
            stopped, why = self._over
            return DrillResult(outcome=stopped, reason=why, scenario=scenario.id)
        fault = scenario.fault and FaultCall(
            id=f"{run.environment}/{stamp(workflow.now())}", environment=run.environment, fault=scenario.fault
        )
        try:
            if fault:
                self._doing = f"{fault.fault} is injected"
                await self._ask("drills.inject", profiles.FAULT, None, fault)
            outcome, reason = self._over or await self._respond(declaration, scenario.time_box)
        finally:
            came_to_its_end = await self._clear_up(fault)
        if outcome == "ended" and not came_to_its_end:
            outcome, reason = "stopped", "its incident was terminated"
        return DrillResult(outcome=outcome, reason=reason, scenario=scenario.id, incident=self._incident)

    async def _clear_up(self, fault: FaultCall | None) -> bool:
        """Withdraw the fault, and wait for the incident; whether that came to its end."""
        try:
            if fault:
                await self._withdraw(fault)
        finally:
            self._doing = f"{self._incident} comes to its end"
            ended = self._ending is not None and await self._ending
        return ended

    async def _withdraw(self, fault: FaultCall) -> None:
        self._doing = f"{fault.fault} is withdrawn"
        try:
            await self._ask("drills.withdraw", profiles.FAULT, None, fault)
        except ActivityError as error:
            why = failures.reason(error)
            try:
                await self._hand_over(fault, why)
            except ActivityError as untold:
                stands = f"{fault.fault} still stands in {self._run.environment}: {why}"
                raise ApplicationError(
                    f"{stands}; nobody could be told: {failures.reason(untold)}", non_retryable=True
                ) from error
            raise

    async def _hand_over(self, fault: FaultCall, why: str) -> None:
        """Declare that somebody must withdraw it; nothing while a live incident of the record says the same."""
        where, now = self._run.environment, workflow.now()
        run = ScheduledRun(schedule="drill", environment=where, declares=MAINTENANCE, speed=self._run.speed)
        call = ScheduledCall(run=run, at=now, now=now)
        made = await self._ask("schedules.declare", profiles.HAND_OVER, Declaration, call)
        told = {
            "title": f"{fault.fault} still stands in {where} after a drill",
            "description": f"Withdraw it by hand: {made.environment.faults.get(fault.fault)} failed to. {why}",
            "key": ids.fault_key(where, fault.fault),
            "mode": "live",
            "scheduled": None,
        }
        await declaring.declare(
            lambda incident: made.model_copy(update={**told, "incident_id": incident, "declared_at": workflow.now()}),
            f"Drill {self._scenario}",
        )

    async def _put_off(self) -> str | None:
        """Wait for an hour at which nobody is needed for something real; else what is still open, to miss it for.

        A drill that somebody starts by hand is refused at once.
        """
        busy = await put_off(self._run.days, self._run.speed, lambda: bool(self._over))
        if busy and not self._run.days:
            raise failures.refused(f"{busy} is open and live: drill once it is over")
        return busy

    async def _respond(self, declaration: Declaration, box: timedelta) -> tuple[DrillOutcome, str]:
        """Declare the incident, and wait until people have ended it or it must end."""
        opened = await declaring.declare(
            lambda incident: declaration.model_copy(update={"incident_id": incident, "declared_at": workflow.now()}),
            f"Drill {self._scenario}",
        )
        if opened is None:
            raise ApplicationError("the drill has no key that could be held", non_retryable=True)
        self._incident, incident = opened
        self._doing = f"{self._incident} is open"
        options = profiles.with_profile(profiles.LIVE, declaration.severity, "Give way")
        watch = asyncio.create_task(ask("drills.watch", str, options))
        try:
            await wait_condition(
                lambda: incident.done() or watch.done() or bool(self._over), timeout=box / declaration.speed
            )
        except TimeoutError:
            self._over = "time-box", f"its time of {spoken(box)} is up"
        outcome: DrillOutcome = "ended"
        end = DrillEnd(reason="people have ended it")
        if not incident.done():
            outcome, reason = self._over or await self._gave_way(watch)
            end = DrillEnd(outcome=outcome, reason=reason)
        watch.add_done_callback(lambda over: over.cancelled() or over.exception())  # or the log has it as an error
        watch.cancel()
        self._doing = f"{self._incident} comes to its end"
        self._ending = asyncio.create_task(self._end(incident, end))
        with suppress(TimeoutError):  # it may wait for a page or its report; what still changes something has its time
            await wait_condition(self._ending.done, timeout=_TO_END)
        return outcome, end.reason

    async def _gave_way(self, watch: Awaitable[str]) -> tuple[DrillCut, str]:
        try:
            return "gave-way", f"{await watch} is open and live"
        except ActivityError as error:
            return "stopped", f"nobody could see whether something real happens: {failures.reason(error)}"

    async def _end(self, incident: declaring.Handle, end: DrillEnd) -> bool:
        """Have the incident, and those that it opened, end; a repeat changes nothing. Whether it came to its end."""
        if not incident.done():
            with suppress(ApplicationError):  # it has just ended
                await incident.signal("end_drill", end)
        try:
            left = read(await incident, DrillLeft)
        except (ChildWorkflowError, StrangeAnswerError):
            workflow.logger.warning("the incident of the drill was ended from outside")
            return False
        for link in left.state.links:
            if link.incident:
                with suppress(ApplicationError):  # it has ended
                    await workflow.get_external_workflow_handle(link.incident).signal("end_drill", end)
        return True

    async def _ask(self, activity: str, profile: profiles.Profile, result: Any, *given: Any) -> Any:
        options = profiles.with_profile(profile, Severity.P3, activity)
        return await ask(activity, result or type(None), options, *given)

    async def refuse_cancel(self) -> None:
        """Take it as a stop, like the command: nothing of a drill is real, and its fault is withdrawn."""
        self._over = self._over or ("stopped", "its workflow was cancelled")

    def to_prove(self, name: str, command: Command, sender: str | None) -> ClaimAsked | None:  # noqa: ARG002 - nobody's
        """Outside a sandbox whoever stops it proves who they are: over this very run, and why."""
        if not self._proofs or not isinstance(command, DrillStop):
            return None
        environment = self._run.environment
        over = of_drill_stop(environment, workflow.info().run_id, command.reason)
        asked = {"act": "stop-drill", "subject": over, "by": command.by, "proof": command.proof}
        return ClaimAsked(environment=environment, incident=None, **asked)

    def hear(self, name: str, command: Command) -> str | None:  # noqa: ARG002 - it is the only one
        """End the drill, wherever it stands; the workflow's result says when it has ended."""
        if isinstance(command, DrillStop):
            self._over = self._over or ("stopped", f"{command.by} stopped it: {command.reason}")
        return None

    @workflow.query
    def state(self) -> dict[str, Any]:
        """Where the drill stands: what it does, its scenario once it is drawn, its incident once that is declared.

        `proofs` says whether whoever stops it proves who they are.
        """
        found = {"environment": self._run.environment, "scenario": self._scenario, "incident": self._incident}
        return {**found, "doing": self._doing, "refused": self.refused, "proofs": self._proofs}
