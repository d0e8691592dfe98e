"""What an incident takes of what a change's workflow says: bounded, about that change alone, and dated as it can be."""

from datetime import datetime, timedelta

from domain.model.change_events import ApprovalAsked
from domain.model.event_kinds import Happening
from domain.model.state import IncidentState
from domain.rules.change_messages import MOST, ChangeHappening, ChangeNews
from domain.values import limits

_LATE = timedelta(minutes=1)
"""How long what a change says is on its way at most, while its incident writes entries of its own."""

_WAIT = timedelta(days=366)
_ACTOR = 200


def doubt(state: IncidentState, news: ChangeNews, now: datetime) -> str | None:
    """Why news is not taken, nothing of it; None where it is."""
    if state.change(news.workflow_id) is None:
        return "it is of no change of this incident"
    if len(news.events) > MOST:
        return f"it has more than {MOST} events"
    return next((reason for one in news.events if (reason := _doubt(news, one, now))), None)


def _doubt(news: ChangeNews, one: ChangeHappening, now: datetime) -> str | None:
    event = one.event
    if event.workflow_id != news.workflow_id:
        return "it is of another change than it says"
    if getattr(event, "verified", False):
        return "it says that a vote is proven, which no message can say"
    if isinstance(event, ApprovalAsked) and event.until > now + _WAIT:
        return "it waits for more than a year"
    size = limits.size([event.data(), event.sentence(one.actor), one.cause])
    return "it has an entry that no record can hold" if len(one.actor) > _ACTOR or size > limits.ENTRY else None


def dated(news: ChangeNews, latest: datetime, now: datetime) -> list[Happening]:
    """What happened, none of it after now or in the past of the timeline, whose latest entry is of `latest`."""
    earliest = min(latest - _LATE, now)
    heard = zip(news.events, news.happenings(), strict=True)
    return [made._replace(at=latest if one.at < earliest else min(one.at, now)) for one, made in heard]
