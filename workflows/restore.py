"""Going on with incidents when Temporal has lost them: each is started again from the ledger, by its own id."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.model.restoring import Restorable, RestorableCall, RestoreCall, RestoredIncident
    from domain.rules.run import FollowUpRun, IncidentRun, RestoreOutcome, RestoreRequest
    from domain.values import ids
    from domain.values.severity import Severity
    from domain.values.timestamps import stamp

from workflows import profiles, search_attributes
from workflows.asking import ask

_LISTING = timedelta(minutes=30)


async def restored_incident(info: workflow.Info) -> RestoredIncident:
    """Read the incident of this workflow back, and take its next term for this run."""
    incident = info.workflow_id.split("/")[0]
    options = profiles.with_profile(profiles.LEDGER, Severity.P0, f"Restore {incident}")
    return await ask("ledger.restore", RestoredIncident, options, RestoreCall(incident=incident, holder=info.run_id))


@workflow.defn(name="Restore")
class Restore:
    """Finds what the ledger has open, and starts what is not running; started twice, it restores nothing twice."""

    @workflow.run
    async def run(self, request: RestoreRequest) -> list[RestoreOutcome]:
        """Restore one incident or all; returns what became of each. A dry run only says what it would do."""
        profile = profiles.with_profile(profiles.LEDGER, Severity.P0, "Read what is open")
        options = {**profile, "start_to_close_timeout": _LISTING}
        found = await ask("ledger.restorable", list[Restorable], options, RestorableCall(incident=request.incident))
        outcomes = []
        for one in found:
            outcome = "would-restore" if request.dry_run else ""
            if one.problem is not None:
                outcome = "refused"
            outcomes.append(RestoreOutcome(found=one, outcome=outcome or await _started(one)))
        return outcomes


async def _started(found: Restorable) -> str:
    """Start an incident, or the work that it has left; the workflow's id lets nobody start it twice."""
    name = "FollowUp" if found.over else "Incident"
    run = FollowUpRun(restore=found.incident) if found.over else IncidentRun(restore=found.incident)
    severity = found.severity or Severity.P0
    memo = {"title": found.title, "declared_at": stamp(found.declared_at)}
    if found.key is not None:
        memo["key"] = found.key
    try:
        await workflow.start_child_workflow(
            name,
            run,
            id=ids.follow_up_workflow_id(found.incident) if found.over else found.incident,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=profiles.short(f"Follow-up: {found.title}" if found.over else found.title),
            memo=memo,
            search_attributes=search_attributes.pairs(found.type, severity.value, found.mode),
            priority=profiles.priority(Severity.P3 if found.over else severity),
        )
    except WorkflowAlreadyStartedError:
        return "running"
    return "restored"
