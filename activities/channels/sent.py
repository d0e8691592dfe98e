"""What is on record of the copies of each page: in the ledger's table where that answers at once, and in this process.

pk                 sk      what it holds
page#<page id>     0001    a copy of the page, put before it is handed to its provider, and again with what came of it

One that was refused has its place taken by the next. A page never waits for the table.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import Lock
from typing import NamedTuple, TypeVar

from activities.channels.copies import Copy
from activities.channels.quick_table import QuickTable
from activities.ledger.table import Item, Table, keys, text
from domain.model.calls import PageCall

_REMEMBERED = 10_000
_FREE = "attribute_not_exists(pk) OR outcome = :refused"
_OWN = "attribute_not_exists(pk) OR at_channel = :own"
T = TypeVar("T")


class Attempt(NamedTuple):
    """An attempt of Temporal's to send: its number, counted from 1, when it began, and when the first was due (UTC)."""

    number: int
    at: datetime
    since: datetime


class Sent:
    """The copies of pages. Safe to share between threads."""

    def __init__(self, table: QuickTable) -> None:
        self._table = table
        self._own: OrderedDict[str, list[Copy]] = OrderedDict()
        self._lock = Lock()

    def copies(self, call: PageCall, attempt: Attempt) -> list[Copy]:
        """The copies that are known (`dynamodb:Query`).

        Of a first attempt none is asked for: `claim` finds out. Where neither the table nor this process knows of the
        page, each earlier attempt is taken for a copy.
        """
        own = self._own.get(call.page_id)
        if own is None and attempt.number == 1:
            return []
        if (stored := self._stored(call)) is not None:
            return _together(stored, own or [])
        lost = [Copy(channel="unknown", at=attempt.since)] * (attempt.number - 1)
        return lost if own is None else list(own)

    def claim(self, call: PageCall, copies: list[Copy], copy: Copy) -> bool:
        """Put a copy on record before it is sent, and among `copies` (`dynamodb:PutItem`).

        False, with `copies` as they are, where another attempt has been here meanwhile: it is not to be sent yet.
        """
        item, refused = _item(call, len(copies) + 1, copy), {":refused": text("refused")}
        taken = self._ask(call, lambda table: table.put(item, _FREE, refused) is not None)
        if taken:
            copies[:] = _together(self._stored(call) or [], copies)
        else:
            copies.append(copy)
        self._keep(call, copies)
        return not taken

    def settle(self, call: PageCall, copies: list[Copy], copy: Copy) -> None:
        """Put on record what came of the newest of the copies (`dynamodb:PutItem`); a refused one leaves them."""
        item = _item(call, len(copies), copy)
        copies[-1:] = [] if copy.outcome == "refused" else [copy]
        self._keep(call, copies)
        self._ask(call, lambda table: table.put(item, _OWN, {":own": item["at_channel"]}))

    def _stored(self, call: PageCall) -> list[Copy] | None:
        """The copies on record; None where the table does not answer."""
        return self._ask(call, lambda table: copies_on_record(table, call.page_id))

    def _keep(self, call: PageCall, copies: list[Copy]) -> None:
        with self._lock:
            self._own[call.page_id] = list(copies)
            self._own.move_to_end(call.page_id)
            while len(self._own) > _REMEMBERED:
                self._own.popitem(last=False)

    def _ask(self, call: PageCall, do: Callable[[Table], T]) -> T | None:
        return self._table.ask(call.ledger_table, do)


def _together(*known: Iterable[Copy]) -> list[Copy]:
    """All of them, each copy once, by time; what came of it is known where one of them says so."""
    found: dict[tuple[datetime, str], Copy] = {}
    for copy in (one for each in known for one in each):
        key = (copy.at, copy.channel)
        if key not in found or copy.outcome != "unknown":
            found[key] = copy
    return [found[key] for key in sorted(found) if found[key].outcome != "refused"]


def copies_on_record(table: Table, page_id: str) -> list[Copy]:
    """Every copy of a page that is on record, refused ones too (`dynamodb:Query`)."""
    return [Copy.model_validate_json(one["content"]["S"]) for one in table.items(_pk(page_id))]


def _pk(page_id: str) -> str:
    return f"page#{page_id}"


def _item(call: PageCall, number: int, copy: Copy) -> Item:
    return {
        **keys(_pk(call.page_id), f"{number:04d}"),
        "at_channel": text(f"{copy.at.isoformat()} {copy.channel}"),
        "outcome": text(copy.outcome),
        "content": text(copy.model_dump_json()),
    }
