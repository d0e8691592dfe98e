"""What a change says to its incident: a part at a time, and again what a life of the incident has not heard.

Every event of a change has a number, and the incident puts it on record with the event. So a life of the incident that
goes on from the record alone can say up to which it has heard, and what is said twice is taken once.
"""

from itertools import accumulate, takewhile

from domain.model.change_events import ChangeMoved
from domain.model.events import RefusalsCounted, Refused
from domain.model.records import IN_FLIGHT
from domain.rules.change_messages import MOST, ChangeHappening, ChangeNews
from domain.values import limits

_AT_ONCE = limits.NEWS // 2
_REFUSALS = 150
"""How many refusals are kept to be said, and said again: all that a change has to say goes into its next run."""


class ChangesNews:
    """The events of one change, in their order. Those up to the number `told` were said."""

    def __init__(self, workflow_id: str, events: list[ChangeHappening], told: int) -> None:
        self._workflow_id = workflow_id
        self.events = list(events)
        self.told = told

    def add(self, happened: ChangeHappening) -> None:
        """Give it the next number, and have it said after what is unheard already."""
        last = self.events[-1].number if self.events else 0
        self.events.append(happened.model_copy(update={"number": max(last, self.told) + 1}))
        refusals = [one for one in self.events if isinstance(one.event, Refused | RefusalsCounted)]
        if len(refusals) > _REFUSALS:
            self.events.remove(refusals[0])

    @property
    def unheard(self) -> list[ChangeHappening]:
        """What is still to be said."""
        return [one for one in self.events if one.number > self.told]

    def next_part(self) -> ChangeNews | None:
        """What is said next, as much as is told at once; None when nothing is left."""
        waiting = self.unheard[:MOST]
        if not waiting:
            return None
        sizes = accumulate(len(one.model_dump_json().encode()) for one in waiting)
        part = waiting[: max(sum(1 for _ in takewhile(lambda total: total <= _AT_ONCE, sizes)), 1)]
        self.told = part[-1].number
        return ChangeNews(workflow_id=self._workflow_id, events=part)

    def say_again(self, after: int) -> None:
        """Have everything said that comes after this number: a life of the incident has heard no more."""
        self.told = min(self.told, after)

    def take_back(self, news: ChangeNews) -> None:
        """Have news said again that nobody was there to hear."""
        self.say_again(news.events[0].number - 1)

    @property
    def has_end(self) -> bool:
        """Whether how it ended is still to be said."""
        return any(isinstance(one.event, ChangeMoved) and one.event.status not in IN_FLIGHT for one in self.unheard)
