"""What a change has to say to its incident: a part at a time, each part with a number of its own."""

from itertools import accumulate, takewhile

from domain.model.change_events import ChangeMoved
from domain.model.records import IN_FLIGHT, ChangeRecord
from domain.rules import hearing_changes
from domain.rules.change_messages import MOST, ChangeHappening, ChangeNews
from domain.values import limits

_AT_ONCE = limits.NEWS // 2


class Unheard:
    """The news of one change, in the order in which it happened. `told` numbers the last part that was said."""

    def __init__(self, record: ChangeRecord, events: list[ChangeHappening], told: int) -> None:
        self._workflow_id = record.workflow_id
        self.events = list(events)
        self.told = max(told, hearing_changes.number_at(hearing_changes.last_on_record(record)))
        self._end: ChangeHappening | None = None

    def add(self, happened: ChangeHappening) -> None:
        """Have it said after what is unheard already."""
        self.events.append(happened)
        if _is_end(happened):
            self._end = self._end or happened

    def next_part(self) -> ChangeNews | None:
        """What is said next, as much as is told at once; None when nothing is left."""
        sizes = accumulate(len(one.model_dump_json()) for one in self.events[:MOST])
        most = max(sum(1 for _ in takewhile(lambda total: total <= _AT_ONCE, sizes)), 1)
        part, self.events = self.events[:most], self.events[most:]
        if not part:
            return None
        self.told = max(self.told + 1, hearing_changes.number_at(part[-1].at))
        return ChangeNews(workflow_id=self._workflow_id, number=self.told, events=part)

    def take_back(self, news: ChangeNews) -> None:
        """Have news said again that nobody was there to hear; it has a greater number then."""
        self.events[:0] = news.events

    @property
    def has_end(self) -> bool:
        """Whether its incident has not heard how it ended."""
        return any(map(_is_end, self.events))

    def say_end_again(self) -> None:
        """Have the end said to a life of the incident that may know nothing of it."""
        if self._end is not None and not self.has_end:
            self.events.append(self._end)


def _is_end(happened: ChangeHappening) -> bool:
    return isinstance(happened.event, ChangeMoved) and happened.event.status not in IN_FLIGHT
