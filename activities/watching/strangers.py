"""One page an hour to whoever sees to security, about requests that are none of ours."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel

from activities.channels.paging import Pager
from activities.house import House
from activities.ledger.table import Table, keys
from activities.stand_ins import people_at
from activities.strange_requests import Strange
from activities.watching.notebook import STRANGERS, Notebook
from activities.watching.sending import send
from activities.watching.sheets import Example, sheets_of
from domain.model.activity_io import About, PageRequest
from domain.model.silence import Claim
from domain.values.severity import Severity
from domain.values.timestamps import short_time

_HOUR = timedelta(hours=1)
_CLAIM = timedelta(minutes=1)
_SETTLED = timedelta(minutes=1)
"""How long the first entry of an honest incident may be on its way."""
_SHOWN = 5


class Heard(BaseModel):
    """What was told of strangers: how many pages, the last one when, and what of each hour was in them."""

    pages: int = 0
    last: datetime | None = None
    counts: dict[str, dict[Strange, int]] = {}
    claim: Claim | None = None


class _Seen(NamedTuple):
    counts: dict[str, Counter[Strange]]
    examples: list[Example]


def tell(table: Table, house: House, pager: Pager, holder: str, now: datetime) -> list[str]:
    """Page about what is new, unless somebody was paged within the hour; who was paged, nobody twice."""
    book = Notebook(table)
    told, version = book.read(STRANGERS, Heard)
    told = told or Heard()
    if (told.last is not None and now - told.last < _HOUR) or (told.claim is not None and told.claim.until > now):
        return []
    seen = _seen(table, now)
    new = sum((counts - Counter(told.counts.get(hour)) for hour, counts in seen.counts.items()), Counter[Strange]())
    if not new or not book.write(STRANGERS, told.model_copy(update={"claim": _claim(holder, now)}), version):
        return []
    sent = send(house, pager, _pages(house, told.pages + 1, _words(new, seen.examples), now), now)
    if sent.is_whole:
        counts = {hour: dict(counts) for hour, counts in seen.counts.items()}
        told = Heard(pages=told.pages + 1, last=now, counts=counts)
    book.write(STRANGERS, told, version + 1)
    return [one.to for one in sent.told]


def _claim(holder: str, now: datetime) -> Claim:
    return Claim(holder=holder, until=now + _CLAIM)


def _seen(table: Table, now: datetime) -> _Seen:
    """What was refused in this hour and the one before; without what turned out to be honest, or may yet."""
    counts: dict[str, Counter[Strange]] = {}
    examples: list[Example] = []
    for hour, sheets in sheets_of(table, now).items():
        counts[hour] = Counter()
        for sheet in sheets:
            settled = (one for one in sheet.unrecorded.values() if now - one.at >= _SETTLED)
            lost = [one for one in settled if not _is_on_record(table, one.incident)]
            counts[hour] += Counter(sheet.counts) + Counter({Strange.UNRECORDED: len(lost)})
            examples += [*sheet.examples, *lost]
    return _Seen(counts, sorted(examples, key=lambda one: one.at))


def _is_on_record(table: Table, incident: str) -> bool:
    return table.get(keys(f"declared#{incident}", "declared")) is not None


class _Words(NamedTuple):
    reason: str
    title: str
    ask: str


def _words(new: Counter[Strange], examples: list[Example]) -> _Words:
    """How much of what, and the newest of it: of that a text message holds the first."""
    counts = [f"{number} {kind}" for kind, number in sorted(new.items())]
    shown = [f"{one.activity} {one.incident}: {one.kind} ({short_time(one.at)})" for one in examples[-_SHOWN:]]
    ask = "\n".join([*shown[1:], "In all:", *counts, "Nothing of it was done."])
    return _Words(f"{new.total()} refused", shown[0] if shown else "", ask)


def _pages(house: House, number: int, words: _Words, now: datetime) -> Iterator[PageRequest]:
    """The page of this number to whoever sees to security."""
    environment, people = house.environment(), people_at(house, now)
    about = About(
        incident=environment.name,
        type="strangers",
        title=words.title,
        severity=Severity.P1,
        mode="live",
        declared_at=now,
        environment=environment.name,
    )
    for contact in people.holders(people.guard):
        yield PageRequest(
            about=about,
            page_id=f"strangers/{environment.name}/{number}/{contact.id}",
            message="page",
            to=contact.id,
            role=people.guard,
            heading="Requests that are none of ours in",
            reason=words.reason,
            ask=words.ask,
        )
