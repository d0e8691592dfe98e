"""What begins by itself in a P0, before anybody has acknowledged: changes that are signed for beforehand.

Each step once in an incident, while the symptoms last, and never where somebody has asked for it already: at once
where no probe speaks for it, else when one of those that do is suspect. The hands look once more, by their own files.
"""

from collections.abc import Iterator
from datetime import datetime

from domain.config.approval import ApprovalClass
from domain.config.preauthorisation import PreAuthorisation
from domain.config.runbook import ChangeStep
from domain.model.event_kinds import Happening
from domain.model.plan import Plan
from domain.model.preauthorised import PreAuthorised, StartedBy
from domain.model.records import ChangeRecord, ChangeStatus
from domain.model.state import IncidentState
from domain.rules import paging
from domain.values.severity import Severity
from domain.values.status import Status

CLASSES = frozenset({ApprovalClass.A1, ApprovalClass.A2})
"""Those of changes that may begin by themselves."""


def refused_plan(plan: Plan) -> str | None:
    """Why a plan is not carried out without votes, whoever has signed for it beforehand; None where it may be."""
    if plan.approval_class not in CLASSES:
        return f"it is of class {plan.approval_class}, which nobody pre-authorises"
    return None if plan.reversible else "it cannot be undone, so nobody pre-authorises it"


def covers(terms: PreAuthorisation, runbook: str, environment: str, step: ChangeStep) -> bool:
    """Whether it is about this step of this runbook, there, and says what the step needs to be told and no more."""
    needed = {name for name in step.ask if name not in step.params}
    about = (terms.type, terms.step, terms.action, terms.environment)
    return about == (runbook, step.id, step.change, environment) and needed <= terms.set.keys() <= set(step.ask)


def may_begin(state: IncidentState) -> bool:
    """Whether anything begins by itself as the incident stands: in a P0 whose symptoms last, and never for upkeep."""
    return state.live and not state.upkeep and state.responding and state.severity is Severity.P0


def ready(state: IncidentState) -> Iterator[tuple[datetime, ChangeStep, PreAuthorised]]:
    """What begins by itself as it stands now, since when it has had to, and by what."""
    if not may_begin(state):
        return
    asked = {change.step for change in state.changes}
    for step in state.declaration.runbook.steps():
        if not isinstance(step, ChangeStep) or step.evidence or step.id in asked:
            continue
        since = _since(state, step)
        found = _of(state, step, since) if since is not None else None
        if since is not None and found is not None:
            yield since, step, found


def _of(state: IncidentState, step: ChangeStep, at: datetime) -> PreAuthorised | None:
    environment = state.declaration.environment.name
    known = (one for one in state.declaration.preauthorisations if one.terms.holds(at))
    return next((one for one in known if covers(one.terms, state.type, environment, step)), None)


def _since(state: IncidentState, step: ChangeStep) -> datetime | None:
    """Since when it has had to begin: it is a P0 that is responded to, and a probe speaks for it where any does."""
    declared = next(one.at for one in reversed(state.statuses) if one.to == Status.DECLARED)
    base = max(declared, state.severities[-1].at)
    if not step.suggested_by:
        return base
    suspects = state.suspects() & set(step.suggested_by)
    seen = [finding.at for finding in state.findings if finding.step in suspects]
    return max(base, min(seen)) if seen else None


def upcoming(state: IncidentState) -> list[tuple[datetime, str]]:
    """What begins by itself, if nobody asks for it before."""
    return [(since, f"{step.id} by {started(one).told}") for since, step, one in ready(state)]


def started(one: PreAuthorised) -> StartedBy:
    """How a change says by what it has begun."""
    return StartedBy(digest=one.terms.digest(), signed_by=one.signers)


def failed(state: IncidentState, change: ChangeRecord) -> Iterator[Happening]:
    """Page where what began by itself was not carried out: whoever is there asks for it, or for something else."""
    if change.preauthorised is not None and change.status is ChangeStatus.FAILED:
        what = f"not done by {change.preauthorised.told}: {change.title}: {change.reason}"
        yield from paging.page_commander(state, what)
