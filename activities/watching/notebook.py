"""What the watcher keeps of itself in the ledger's table: who watches, and what people were paged about.

    pk                  sk              what it holds
    watch#lease         lease           who watches, and until when
    watch#<incident>    <when due>      a silence of the incident: what was due, who was paged about it, and when
    watch#schedule/<environment>/<id>   <when due>   a silence of a schedule, likewise
    watch#schedules     <environment>   the schedules of the worker's files, since when each comes when it does
    watch#over          <incident>      that it has ended and left nothing to do: nobody looks at it again
    watch#strangers     told            what people were told of requests that are none of ours

Each has a version that one write after the other counts up: of two that write at once one does. None is part of an
incident's chain, which has one writer, the incident itself.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

from pydantic import BaseModel

from activities.ledger.table import Item, Table, keys, number, text
from domain.model.silence import Silence
from domain.values.timestamps import stamp

_OVER = "watch#over"

M = TypeVar("M", bound=BaseModel)


class Over(BaseModel):
    """An incident that has ended and left nothing to do: when it ended (UTC), and which schedule's run it was."""

    environment: str
    schedule: str | None = None
    until: datetime


class Page(NamedTuple, Generic[M]):
    """What stands at one place, and which version of it: 0 where nothing does."""

    content: M | None
    version: int = 0


class Notebook:
    """The watcher's own items of one environment. Lets botocore's errors through."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, key: Item, model: type[M]) -> Page[M]:
        """Look something up (`dynamodb:GetItem`)."""
        found = self._table.get(key)
        if found is None:
            return Page(None)
        return Page(model.model_validate_json(found["content"]["S"]), int(found["version"]["N"]))

    def write(self, key: Item, content: BaseModel, before: int) -> bool:
        """Put the version after `before` (`dynamodb:PutItem`); False where somebody else has."""
        item = {**key, "version": {"N": str(before + 1)}, "content": text(content.model_dump_json())}
        if before == 0:
            return self._table.put(item) is None
        return self._table.put(item, "version = :before", {":before": {"N": str(before)}}) is None

    def now(self) -> datetime:
        """What time it is in the store, by an answer about the lease (`dynamodb:GetItem`). Raises `ClockError`."""
        self._table.get(_LEASE)
        return self._table.now()

    def lease(self, holder: str, time: timedelta, now: datetime) -> bool:
        """Be the one who watches from `now` on, or go on being that (`dynamodb:PutItem`); False where another is."""
        until = (now + time).timestamp()
        return (
            self._table.put(
                {**_LEASE, "holder": text(holder), "lease_until": number(until)},
                "attribute_not_exists(pk) OR lease_until <= :now OR holder = :me",
                {":now": number(now.timestamp()), ":me": text(holder)},
            )
            is None
        )

    def silences(self, incident: str) -> Iterator[Silence]:
        """Every silence of an incident, oldest first (`dynamodb:Query`)."""
        for item in self._table.items(f"watch#{incident}"):
            yield Silence.model_validate_json(item["content"]["S"])

    def over(self) -> Iterator[tuple[str, Over]]:
        """Every incident that is over for good (`dynamodb:Query`)."""
        for item in self._table.items(_OVER):
            yield item["sk"]["S"], Over.model_validate_json(item["content"]["S"])

    def settle(self, incident: str, over: Over) -> None:
        """Put on record that an incident is over for good (`dynamodb:PutItem`); a repeat changes nothing."""
        self._table.put({**keys(_OVER, incident), "content": text(over.model_dump_json())})


_LEASE = keys("watch#lease", "lease")
STRANGERS = keys("watch#strangers", "told")


def silence_key(of: str, due_at: datetime) -> Item:
    """Where a silence of an incident or a schedule stands."""
    return keys(f"watch#{of}", stamp(due_at))


def schedules_key(environment: str) -> Item:
    """Where it stands which schedules an environment's files have."""
    return keys("watch#schedules", environment)
