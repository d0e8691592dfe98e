"""What an incident takes of what a change's workflow says: bounded, about that change alone, and dated as it can be.

Each event is taken once, by its number. Anybody can copy news out of the history and say it again, sealed as it is; and
a change says again what a life of the incident that was restored has not heard. What is on record of it stands.
"""

from datetime import datetime, timedelta

from domain.model.change_events import ApprovalAsked, ChangeMoved, ElectorateChanged, PlanMade, VoteCast
from domain.model.event_kinds import Happening
from domain.model.records import IN_FLIGHT, ChangeRecord, ChangeStatus
from domain.model.state import IncidentState
from domain.rules.change_messages import MOST, ChangeHappening, ChangeNews
from domain.values import limits

_LATE = timedelta(minutes=1)
"""How long what a change says is on its way at most, while its incident writes entries of its own."""

_WAIT = timedelta(days=366)
_ACTOR = 200
_AHEAD = 2000
"""How many events may be missing: a change lets refusals go that it was to say again."""

NUMBER = "said"
"""Where the number of a change's event stands in the cause of its entry."""


def doubt(state: IncidentState, news: ChangeNews, heard: int, now: datetime) -> str | None:
    """Why news is not taken, nothing of it; None where it is. What was said up to the number `heard` is known."""
    if state.change(news.workflow_id) is None:
        return "it is of no change of this incident"
    if len(news.events) > MOST:
        return f"it has more than {MOST} events"
    numbers = [one.number for one in news.events]
    if numbers != sorted(set(numbers)) or numbers[-1] > heard + _AHEAD:
        return "it is not numbered in order"
    return next((reason for one in news.events if (reason := _doubt(state, news, one, now))), None)


def _doubt(state: IncidentState, news: ChangeNews, one: ChangeHappening, now: datetime) -> str | None:
    event = one.event
    if event.workflow_id != news.workflow_id:
        return "it is of another change than it says"
    if getattr(event, "verified", False) and not state.proofs:
        return "it says that a vote is proven, and nothing is in a sandbox"
    if isinstance(event, ApprovalAsked) and event.until > now + _WAIT:
        return "it waits for more than a year"
    size = limits.size([event.data(), event.sentence(one.actor), one.cause])
    return "it has an entry that no record can hold" if len(one.actor) > _ACTOR or size > limits.ENTRY else None


def unheard(news: ChangeNews, heard: int, latest: datetime, now: datetime) -> list[Happening]:
    """What comes after the number `heard`, none of it after now, nor in the past of a timeline that ends `latest`."""
    earliest = min(latest - _LATE, now)
    after = zip(news.events, news.happenings(), strict=True)
    return [
        made._replace(at=latest if one.at < earliest else min(one.at, now), cause={**one.cause, NUMBER: one.number})
        for one, made in after
        if one.number > heard
    ]


def without_what_stands(record: ChangeRecord | None, happenings: list[Happening]) -> list[Happening]:
    """Leave out what stands on record already, by which an incident was restored: plan, votes, and how far it came."""
    return [one for one in happenings if record is None or not _stands(record, one)]


def _stands(record: ChangeRecord, one: Happening) -> bool:
    under_way = record.status in {ChangeStatus.APPLYING, ChangeStatus.VERIFYING}
    match one.event:
        case PlanMade(plan=plan):
            return record.plan is not None and plan.digest == record.plan.digest
        case ApprovalAsked() | ElectorateChanged():
            return under_way  # it is decided: nobody is asked any more
        case ChangeMoved(status=status) if record.in_flight:
            return under_way and status in {ChangeStatus.APPLYING, record.status}
        case VoteCast(decision=decision, break_glass=alone):
            said = (one.actor, decision, alone)
            return any((vote.by, vote.decision, vote.break_glass) == said for vote in record.approvals)
        case ChangeMoved(status=status, ours=ours):
            return status in IN_FLIGHT or status == record.status or not ours
    return False
