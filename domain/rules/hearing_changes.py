"""What an incident takes of what a change's workflow says: bounded, about that change alone, and dated as it can be.

Each news is taken once. Anybody can copy one out of the history and say it again, sealed as it is; so they are
numbered, by the time of the latest thing that they tell. A change that was lost and is begun anew has greater ones.

A server's clock may be set back, so a number is judged by the latest time that the incident itself has put on record,
which no news can push.
"""

from datetime import UTC, datetime, timedelta

from domain.model.change_events import ApprovalAsked, ChangeMoved, VoteCast
from domain.model.event_kinds import Happening
from domain.model.records import IN_FLIGHT, ChangeRecord
from domain.model.state import IncidentState
from domain.rules.change_messages import MOST, ChangeHappening, ChangeNews
from domain.values import limits

_LATE = timedelta(minutes=1)
"""How long what a change says is on its way at most, while its incident writes entries of its own."""

_WAIT = timedelta(days=366)
_ACTOR = 200


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT = timedelta(microseconds=1)


def number_at(at: datetime) -> int:
    """The number of news whose latest event is of this instant (UTC)."""
    return (at - EPOCH) // _UNIT


def number_of(news: ChangeNews, latest: datetime) -> int:
    """The number of news; where a build did not number it, that of the last thing that it tells, `latest` at most."""
    return news.number or number_at(min(max((one.at for one in news.events), default=EPOCH), latest))


def last_on_record(record: ChangeRecord) -> datetime:
    """When the latest thing that its record tells of a change was: news from before that is on record."""
    window = [record.window.opened_at] if record.window else []
    ended = [record.ended_at] if record.ended_at else []
    return max([record.requested_at, *window, *ended, *(vote.at for vote in record.approvals)])


def doubt(state: IncidentState, news: ChangeNews, latest: datetime) -> str | None:
    """Why news is not taken, nothing of it; None where it is. `latest` is now, or what is on record of a later time."""
    if state.change(news.workflow_id) is None:
        return "it is of no change of this incident"
    if len(news.events) > MOST:
        return f"it has more than {MOST} events"
    if news.number > number_at(latest + _LATE):
        return "it is numbered as if it were of a later time"
    return next((reason for one in news.events if (reason := _doubt(news, one, latest))), None)


def _doubt(news: ChangeNews, one: ChangeHappening, latest: datetime) -> str | None:
    event = one.event
    if event.workflow_id != news.workflow_id:
        return "it is of another change than it says"
    if getattr(event, "verified", False):
        return "it says that a vote is proven, which no message can say"
    if isinstance(event, ApprovalAsked) and event.until > latest + _WAIT:
        return "it waits for more than a year"
    size = limits.size([event.data(), event.sentence(one.actor), one.cause])
    return "it has an entry that no record can hold" if len(one.actor) > _ACTOR or size > limits.ENTRY else None


def dated(news: ChangeNews, latest: datetime, now: datetime) -> list[Happening]:
    """What happened, none of it after now or in the past of the timeline, whose latest entry is of `latest`."""
    earliest = min(latest - _LATE, now)
    heard = zip(news.events, news.happenings(), strict=True)
    return [made._replace(at=latest if one.at < earliest else min(one.at, now)) for one, made in heard]


def without_what_stands(record: ChangeRecord | None, happenings: list[Happening]) -> list[Happening]:
    """Leave out what stands on record already, by which an incident was restored: votes, and an end without a deed."""
    return [one for one in happenings if record is None or not _stands(record, one)]


def _stands(record: ChangeRecord, one: Happening) -> bool:
    match one.event:
        case VoteCast(decision="approve", digest=digest) if record.plan is not None and digest == record.plan.digest:
            return one.actor in {vote.by for vote in record.approvals}
        case ChangeMoved(status=status, ours=ours):
            return not record.in_flight and status not in IN_FLIGHT and not ours
    return False
