"""Whether the schedules of the worker's own files run, by the incidents that their runs have declared."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from activities.house import House
from activities.ledger.table import Table
from activities.watching.lost import Lost, not_run
from activities.watching.notebook import Notebook, schedules_key
from activities.watching.records import Run
from domain.config.schedule import Schedule
from domain.rules.clock import Due

_GRACE = timedelta(hours=1)
_IN_A_ROW = 2
"""How many runs have to be missing: a single one may have been put off, or skipped beside another."""


class Row(BaseModel):
    """A schedule as it was noticed: when it comes, in words, and since when it has been so (UTC)."""

    comes: str
    since: datetime


class Rows(BaseModel):
    """Every schedule that was noticed in an environment, those that its files have lost too."""

    rows: dict[str, Row] = {}


def not_running(table: Table, house: House, runs: Mapping[str, Run], now: datetime) -> Iterator[Lost]:
    """The schedules of which two runs in a row were due an hour ago, and are not on record
    (`dynamodb:GetItem`, `dynamodb:PutItem`).

    Counted from the last run; where there was none, from when the row was noticed in the files, or noticed to come
    otherwise. Nobody has to apply the schedules of a sandbox: there a schedule counts once it has run.
    """
    zone = ZoneInfo(house.organisation().timezone)
    rows = house.schedules()
    for id_, since in _since(table, house, runs, now).items():
        last = runs.get(id_)
        counted = max(since, last.until) if last else since
        due = list(islice(rows[id_].between(counted, now - _GRACE, zone), _IN_A_ROW))
        if len(due) == _IN_A_ROW:
            yield not_run(id_, Due(due[0], f"{_IN_A_ROW} runs of {id_}"), last, house, now)


def _since(table: Table, house: House, runs: Mapping[str, Run], now: datetime) -> dict[str, datetime]:
    """Since when each schedule that counts comes as the files have it now; what has changed is put on record."""
    book, key = Notebook(table), schedules_key(house.environment().name)
    found, version = book.read(key, Rows)
    known = found.rows if found else {}
    timezone = house.organisation().timezone
    there = {id_: _said(row, timezone) for id_, row in house.schedules().items()}
    is_sandbox = house.environment().kind == "sandbox"
    rows = {id_: row if id_ in there else Row(comes="never", since=row.since) for id_, row in known.items()}
    for id_, comes in there.items():
        last = runs.get(id_)
        if id_ not in known and (last or not is_sandbox):
            rows[id_] = Row(comes=comes, since=last.until if last else now)
        elif id_ in known and known[id_].comes != comes:
            rows[id_] = Row(comes=comes, since=now)
    if rows != known:
        book.write(key, Rows(rows=rows), version)
    return {id_: row.since for id_, row in rows.items() if id_ in there}


def _said(row: Schedule, timezone: str) -> str:
    return f"{row.when()}, {timezone}"
