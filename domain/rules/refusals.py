"""How many refusals go on record one by one. Of a flood the number is on record: nobody fills a record with noise."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from pydantic import BaseModel

from domain.model.events import RefusalsCounted, Refused

WRITTEN = 50
"""Refusals that are written each, within a window."""

PAGED = 2
"""The unproven refusal of which somebody is paged: whoever has mislaid a key says it once."""

WINDOW = timedelta(hours=1)
_NAMES = 20
_OTHER = "other"


class Refusals(BaseModel):
    """Those since `since`, by the names of the commands; `told` of the counted ones are on record as a number.

    The first that were `unproven` always go on record: the second is paged, whatever else is refused meanwhile.
    """

    since: datetime | None = None
    unproven: int = 0
    written: int = 0
    counted: dict[str, int] = {}
    told: int = 0

    def take(self, refused: Refused, now: datetime) -> Iterator[Refused | RefusalsCounted]:
        """What goes on record of a refusal: itself, or that so many were counted, at each power of ten, or nothing."""
        if self.since is None or now >= self.since + WINDOW:
            yield from self.rest()
            self.since, self.written, self.counted, self.told = now, 0, {}, 0
        if refused.unproven:
            self.unproven += 1
        if self.written < WRITTEN or (refused.unproven and self.unproven <= PAGED):
            self.written += 1
            yield refused
            return
        known = refused.command in self.counted or len(self.counted) < _NAMES
        name = refused.command if known else _OTHER
        self.counted[name] = self.counted.get(name, 0) + 1
        if set(str(self._total)[1:]) <= {"0"} and str(self._total)[0] == "1":
            yield from self.rest()

    def rest(self) -> Iterator[RefusalsCounted]:
        """What is counted and not on record yet: before a run ends, or the window does."""
        if self.since is not None and self.untold:
            self.told = self._total
            yield RefusalsCounted(since=self.since, counts=dict(sorted(self.counted.items())))

    @property
    def untold(self) -> bool:
        return self._total > self.told

    @property
    def _total(self) -> int:
        return sum(self.counted.values())
