"""A change whose workflow is gone, ended from outside or lost with the server: what is on record says what came of it.

What was begun goes on where its intent says, as a new workflow of the same name; what has an outcome ends with that; of
what was never begun nothing was done, and nothing will be: the record has given it up.
"""

from collections.abc import Iterator

from domain.model.activity_io import ChangeOutcome
from domain.model.change_events import ChangeLost, ChangeMoved, PlanMade, VoteCast
from domain.model.event_kinds import Happening
from domain.model.events import ORCHESTRATOR
from domain.model.records import ChangeRecord, ChangeStatus
from domain.model.state import IncidentState
from domain.rules import change_requests, paging

_TIMES = 3
"""How often a change is gone on with: whoever ends it again and again is not to have it done again and again."""

_ENDED = "its workflow was ended from outside"


def lost(state: IncidentState, workflow_id: str) -> Iterator[Happening]:
    """Have it looked up what came of a change; one that said how it ended stays as it ended."""
    record = state.change(workflow_id)
    if record is not None and record.in_flight and not record.adrift:
        yield Happening(ChangeLost(step=record.step, workflow_id=workflow_id, title=record.title))


def found(state: IncidentState, workflow_id: str, outcome: ChangeOutcome) -> Iterator[Happening]:
    """Take what the record says of a change: its plan and its votes where they were not heard, and how it goes on."""
    record = state.change(workflow_id)
    if record is None or not record.in_flight:
        return
    moved = _moved(record, outcome)
    actor = outcome.given_up.by if outcome.given_up else ORCHESTRATOR
    yield from change_requests.progress(state, workflow_id, [*_unheard(record, outcome), Happening(moved, actor)])
    if moved.status is ChangeStatus.FAILED and outcome.outcome in {"begun", "partly", "unread"}:
        yield from paging.page_commander(state, f"look what came of it: {record.title}: {moved.reason}")


def _unheard(record: ChangeRecord, outcome: ChangeOutcome) -> Iterator[Happening]:
    of_it = {"step": record.step, "workflow_id": record.workflow_id}
    plan, voted = outcome.plan, {(vote.by, vote.break_glass) for vote in record.approvals}
    if plan is not None and (record.plan is None or record.plan.digest != plan.digest):
        yield Happening(PlanMade(**of_it, plan=plan))
    digest = plan.digest if plan else None
    for vote in outcome.votes:
        if (vote.by, vote.break_glass) not in voted:
            said_of = {"role": vote.role, "proof": vote.proof, "break_glass": vote.break_glass}
            yield Happening(VoteCast(**of_it, decision="approve", digest=digest, **said_of), vote.by)
    for said in outcome.given_up.votes if outcome.given_up else ():
        if (said.by, said.break_glass) not in voted:
            on = digest if said.decision == "approve" else None
            cast = {
                "role": said.role,
                "decision": said.decision,
                "comment": said.comment,
                "digest": on,
                "proof": said.proof,
                "break_glass": said.break_glass,
            }
            yield Happening(VoteCast.model_validate({**of_it, **cast}), said.by)


def _moved(record: ChangeRecord, outcome: ChangeOutcome) -> ChangeMoved:
    status, reason, ours = ChangeStatus.FAILED, outcome.message, True if outcome.votes else record.ours
    match outcome.outcome:
        case "nothing":
            reason, ours = f"{_ENDED}; nothing was done", record.ours
        case "unread":
            reason = f"{_ENDED}, and what came of it could not be read ({outcome.message})"
        case "given-up" if outcome.given_up is not None:
            status, reason, ours = ChangeStatus(outcome.given_up.status), outcome.given_up.reason, record.ours
        case "verified":
            status, ours = ChangeStatus.APPLIED, True
        case "failed":
            ours = True
        case _ if record.lost > _TIMES:
            reason, ours = f"{_ENDED} {record.lost} times; it was begun, and no end of it is on record", True
        case _:
            status, reason, ours = _goes_on(record, outcome)
    of_it = {"step": record.step, "workflow_id": record.workflow_id, "title": record.title}
    return ChangeMoved.model_validate({**of_it, "status": status, "reason": reason, "ours": ours})


def _goes_on(record: ChangeRecord, outcome: ChangeOutcome) -> tuple[ChangeStatus, str, bool | None]:
    """As applying, which finds what was done already; one that was applied by all that is known is looked at."""
    nobody = record.preauthorised.told if record.preauthorised else "nobody, as none was needed"
    who = " and ".join(vote.by for vote in outcome.votes) or nobody
    status = ChangeStatus.VERIFYING if record.status is ChangeStatus.VERIFYING else ChangeStatus.APPLYING
    return status, f"its intent is on record, approved by {who}", record.ours
