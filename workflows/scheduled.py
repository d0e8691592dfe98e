"""A run of a schedule: declares what the schedule names, and ends with it, so that no other run begins meanwhile."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeKey
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.config.drill import DrillChoice
    from domain.config.schedule import RECOVERY_TEST, TRIALS
    from domain.model.declaration import Declaration, Nominal
    from domain.model.drill import DrillResult, DrillRun
    from domain.model.scheduled import ScheduledCall, ScheduledResult, ScheduledRun
    from domain.values import ids
    from domain.values.severity import Severity

from workflows import declaring, profiles
from workflows.asking import StrangeAnswerError, ask, read
from workflows.giving_way import put_off

DRILL = "drill"
_PUT_OFF_DAYS = 3
_PRACTICE = frozenset({RECOVERY_TEST, TRIALS})
"""Like drills they give way to what is real."""

_NOMINAL = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""When a run was due, by Temporal; the workflow's own clock says when it came to run."""


@workflow.defn(name="Scheduled")
class Scheduled:
    """One run. A run that is started by hand was due when it was started."""

    @workflow.run
    async def run(self, run: ScheduledRun) -> ScheduledResult:
        """Have a worker make the declaration, by its own files; declare it, and wait for its end.

        What is to be tried hangs on what the record proves: that is asked where the record is kept.
        """
        last = _last()
        at = _due_at()
        call = ScheduledCall(run=run, at=at, now=workflow.now(), after=last and (last.told or last.nominal.at))
        if run.declares == DRILL:
            return await self._drill(call)
        profile = profiles.STUDY if run.declares == TRIALS else profiles.DECLARE
        options = profiles.with_profile(profile, Severity.P3, f"What {run.schedule} declares")
        if run.declares in _PRACTICE and (busy := await put_off(_PUT_OFF_DAYS, run.speed)):
            workflow.logger.warning("%s was put off for %s days: %s was open", run.schedule, _PUT_OFF_DAYS, busy)
            return ScheduledResult(incident=None, nominal=Nominal(schedule=run.schedule, at=at), told=_before(call))
        call = call.model_copy(update={"now": workflow.now()})
        declaration = await ask("schedules.declare", Declaration, options, call)
        opened = await declaring.declare(
            lambda incident: declaration.model_copy(update={"incident_id": incident}), f"By schedule {run.schedule}"
        )
        if opened is None:
            raise ApplicationError(f"{declaration.key} stands for an incident that is open already", non_retryable=True)
        incident, handle = opened
        await handle
        nominal = declaration.scheduled or Nominal(schedule=run.schedule, at=at)
        told = max(filter(None, (nominal.at, *nominal.missed, call.after)))
        return ScheduledResult(incident=incident, nominal=nominal, told=told)

    async def _drill(self, call: ScheduledCall) -> ScheduledResult:
        """Have the environment's drill begin, and wait until it is over; one that is under way fails this run."""
        run, choice = call.run, call.run.drill or DrillChoice()
        drill = DrillRun(
            environment=run.environment, days=_PUT_OFF_DAYS, speed=run.speed, scheduled=call, **dict(choice)
        )
        try:
            raw = await workflow.execute_child_workflow(
                "Drill",
                drill,
                id=ids.drill_workflow_id(run.environment),
                result_type=RawValue,
                parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
                static_summary=profiles.short(f"Drill by schedule {run.schedule}"),
            )
        except WorkflowAlreadyStartedError as error:
            raise ApplicationError(f"a drill of {run.environment} is under way", non_retryable=True) from error
        try:
            over = read(raw, DrillResult)
        except StrangeAnswerError as error:
            raise ApplicationError(f"the drill of {run.environment} ended from outside", non_retryable=True) from error
        told = max(call.at, call.now) if over.incident else _before(call)
        return ScheduledResult(incident=over.incident, nominal=Nominal(schedule=run.schedule, at=call.at), told=told)


def _before(call: ScheduledCall) -> datetime:
    """Until when all was accounted for before this run, which came to nothing: the next one tells of it."""
    return call.after or call.at - timedelta(seconds=1)


def _last() -> ScheduledResult | None:
    """What the run before came to; none where that is nothing that a run of ours ends with."""
    raw = workflow.get_last_completion_result(RawValue)
    try:
        return None if raw is None else read(raw, ScheduledResult)
    except StrangeAnswerError as error:
        workflow.logger.warning("the run before: %s", error)
        return None


def _due_at() -> datetime:
    return workflow.info().typed_search_attributes.get(_NOMINAL) or workflow.now()
