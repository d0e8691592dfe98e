"""A run of a schedule: declares what the schedule names, and ends with it, so that no other run begins meanwhile."""

from datetime import datetime

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.model.declaration import Declaration, Nominal
    from domain.model.scheduled import ScheduledCall, ScheduledResult, ScheduledRun
    from domain.values.severity import Severity

from workflows import declaring, profiles

_NOMINAL = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""When a run was due, by Temporal; the workflow's own clock says when it came to run."""


@workflow.defn(name="Scheduled")
class Scheduled:
    """One run. A run that is started by hand was due when it was started."""

    @workflow.run
    async def run(self, run: ScheduledRun) -> ScheduledResult:
        """Have a worker make the declaration, by its own files; declare it, and wait for its end."""
        last = workflow.get_last_completion_result(ScheduledResult)
        at: datetime = workflow.info().typed_search_attributes.get(_NOMINAL) or workflow.now()
        call = ScheduledCall(run=run, at=at, now=workflow.now(), after=last and (last.told or last.nominal.at))
        declaration = await workflow.execute_activity(
            "schedules.declare",
            call,
            result_type=Declaration,
            **profiles.with_profile(profiles.DECLARE, Severity.P3, f"What {run.schedule} declares"),
        )
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
