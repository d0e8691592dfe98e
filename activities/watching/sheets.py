"""What the hands note of requests that are none of ours: where they refuse them, in the ledger's table.

    pk                         sk          what it holds
    stranger#2026-11-28T21     <process>   what one process refused in that hour (UTC): how much, and the first of it

A process writes its own item anew with the first of each kind, and then at each power of ten: a flood costs a few
writes. Nothing of what a request says is kept but the incident that it names, where that can be one.
"""

import re
from datetime import datetime, timedelta
from threading import Lock
from uuid import uuid4

import structlog
from pydantic import BaseModel

from activities.action import Clients
from activities.house import House
from activities.ledger.table import Item, Table, keys, text
from activities.strange_requests import Strange, kind_of

_EXAMPLES = 5
_INCIDENTS = 200
_INCIDENT = re.compile(r"inc-\d{8}-[0-9a-z]{4,8}")
_log = structlog.get_logger(__name__)


class Example(BaseModel):
    """One request: when (UTC, by Temporal), what was asked for, and for which incident, if it named one."""

    at: datetime
    kind: Strange
    activity: str
    incident: str = ""


class Sheet(BaseModel):
    """What one process refused within an hour. Requests for incidents that are not on record are counted by those."""

    counts: dict[Strange, int] = {}
    unrecorded: dict[str, Example] = {}
    examples: list[Example] = []

    def take(self, one: Example) -> bool:
        """Count a request; whether that is worth writing down now."""
        if one.kind is Strange.UNRECORDED and one.incident and len(self.unrecorded) < _INCIDENTS:
            return self.unrecorded.setdefault(one.incident, one) is one
        if one.kind is Strange.UNRECORDED and one.incident in self.unrecorded:
            return False
        count = self.counts[one.kind] = self.counts.get(one.kind, 0) + 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(one)
            return True
        return set(str(count)[1:]) <= {"0"} and str(count)[0] == "1"


class Sheets:
    """The notes of one process. Safe to share between threads."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._process = str(uuid4())
        self._lock = Lock()
        self._hour = ""
        self._sheet = Sheet()

    def note(self, clients: Clients, error: Exception, activity: str, incident: str | None, at: datetime) -> None:
        """Note what was refused, if it is strange (`dynamodb:PutItem`); it is refused all the same where that fails."""
        if (kind := kind_of(error)) is None:
            return
        named = incident if incident and _INCIDENT.fullmatch(incident) else ""
        with self._lock:
            if (hour := hour_of(at)) != self._hour:
                self._hour, self._sheet = hour, Sheet()
            worth = self._sheet.take(Example(at=at, kind=kind, activity=activity, incident=named))
            content = self._sheet.model_dump_json() if worth else ""
        if worth:
            self._write(clients, hour, content)

    def _write(self, clients: Clients, hour: str, content: str) -> None:
        item: Item = {**keys(hour, self._process), "content": text(content)}
        try:
            table = Table(clients, self._house.environment().ledger_table, once=True)
            table.put(item, "attribute_not_exists(pk) OR sk = :own", {":own": text(self._process)})
        except Exception as error:  # noqa: BLE001 - the refusal stands, whatever keeps it from being noted
            _log.warning("a strange request is not on record", error=type(error).__name__)


def hour_of(at: datetime) -> str:
    """Where the sheets of an hour stand."""
    return f"stranger#{at:%Y-%m-%dT%H}"


def sheets_of(table: Table, now: datetime) -> dict[str, list[Sheet]]:
    """The sheets of this hour and of the one before (`dynamodb:Query`)."""
    hours = [hour_of(now - timedelta(hours=1)), hour_of(now)]
    return {hour: [Sheet.model_validate_json(one["content"]["S"]) for one in table.items(hour)] for hour in hours}
