"""The watcher: it looks for incidents that nobody carries on, and tells people about them. Temporal is not asked.

What was due two minutes ago, and stands neither in the record nor in the hands' own record of the pages that they sent,
does not happen: whether the incident's workflow was terminated, cancelled, deleted or reset, waits behind a flood, or
had its pages swallowed. That is one check, of the work that a closed incident has left too. Schedules are looked at
once an hour.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Event
from uuid import uuid4

import structlog

from activities.action import Clients
from activities.aws.shared.error_codes import is_of_aws
from activities.channels.paging import Pager
from activities.channels.sent import copies_on_record
from activities.house import House
from activities.ledger.table import Table
from activities.stand_ins import people_at
from activities.watching import strangers
from activities.watching.lost import Lost, silent, unreadable, unreminded
from activities.watching.notebook import Notebook, silence_key
from activities.watching.records import Record, Records, unlooked
from activities.watching.sending import send
from activities.watching.timetable import not_running
from domain.config.environment import Environment
from domain.config.organisation import Contact
from domain.model.silence import Claim, Found, Silence
from domain.model.state import IncidentState
from domain.rules import unattended
from domain.rules.clock import Due
from domain.values.timestamps import stamp

LEASE = timedelta(seconds=90)
_CLAIM = timedelta(minutes=1)
"""How long whoever pages about a silence has for it, before somebody else takes it for dead."""
_WITHOUT_RECORD = timedelta(minutes=10)
"""Policy time for which an incident is believed whose pages go out, and whose record is not written: it pages for that
itself after five minutes."""
_SCHEDULES_EVERY = timedelta(hours=1)
_log = structlog.get_logger(__name__)


class Watcher:
    """Watches one environment. Any number may: one by a lease, those outside beside it, and each page is sent once.

    `now` is the time in the store, unless it is given.
    """

    def __init__(
        self, clients: Clients, house: House, pager: Pager, now: Callable[[Notebook], datetime] = Notebook.now
    ) -> None:
        self._clients = clients
        self._house = house
        self._pager = pager
        self._now = now
        self._holder = str(uuid4())
        self.stopped = Event()
        self._records = Records(clients, self.stopped)
        self._schedules_at: datetime | None = None

    @property
    def environment(self) -> Environment:
        """Where it watches, by the file as it stands now."""
        return self._house.environment()

    def is_the_one(self) -> bool:
        """Whether it is this one that watches, by a lease that it renews (`dynamodb:PutItem`)."""
        book = Notebook(self._table())
        return book.lease(self._holder, LEASE, self._now(book))

    def leave(self) -> None:
        """Let another watch at once: nothing where another does."""
        book = Notebook(self._table())
        book.lease(self._holder, timedelta(), self._now(book))

    def look(self) -> list[Found]:
        """Look at every incident that is to be carried on, and page about those that are silent, a round at a time.

        And tell, once an hour, of schedules that do not run, and of what the hands have noted of strange requests.

        Raises `ClockError` where this machine's clock is off, and lets botocore's errors through: who cannot look says
        so. One that cannot be paged about now is tried again by the next look.
        """
        table = self._table()
        now = self._now(Notebook(table))
        table.refuse_wrong_clock()
        looked = (self._silence(table, record, now) for record in self._records.to_carry_on(self.environment, now))
        found = [one for one in looked if one is not None]
        found += self._schedules(table, now)
        if paged := strangers.tell(table, self._house, self._pager, self._holder, now):
            _log.warning("requests that are none of ours were refused", paged=paged)
        return found

    def restoring(self, found: Found) -> str | None:
        """The workflow on record that was begun to go on with a silent incident, if any (`dynamodb:GetItem`)."""
        silence, _ = Notebook(self._table()).read(silence_key(found.incident, found.due_at), Silence)
        return None if silence is None else silence.restoring

    def note_restore(self, found: Found, workflow: str) -> None:
        """Put on record that a workflow was begun which goes on with a silent incident; nothing where others write."""
        book, key = Notebook(self._table()), silence_key(found.incident, found.due_at)
        silence, version = book.read(key, Silence)
        if silence is not None:
            book.write(key, silence.model_copy(update={"restoring": workflow}), version)

    def _table(self) -> Table:
        return Table(self._clients, self._house.environment().ledger_table)

    def _silence(self, table: Table, record: Record, now: datetime) -> Found | None:
        """What of an incident is missed, paged about if a round of that is due."""
        lost = self._lost(table, record, now)
        return None if lost is None else self._told(table, lost, now)

    def _lost(self, table: Table, record: Record, now: datetime) -> Lost | None:
        try:
            return self._missed(table, record, now)
        except Exception as error:
            if is_of_aws(error):
                raise
            return unreadable(unlooked(record, error), self._house)

    def _missed(self, table: Table, record: Record, now: datetime) -> Lost | None:
        if isinstance(record.state, str):
            return unreadable(record, self._house)
        if (due := _missed(table, record.state, now)) is None:
            return None
        return unreminded(record.state, due) if record.state.ended else silent(record.state, due, now)

    def _schedules(self, table: Table, now: datetime) -> list[Found]:
        """The schedules that do not run, told of once each: looked for once an hour, when all records are read."""
        due = self._schedules_at is None or now - self._schedules_at >= _SCHEDULES_EVERY
        if not due or self.stopped.is_set():
            return []
        runs = self._records.runs(self.environment)
        found = [self._told(table, lost, now) for lost in not_running(table, self._house, runs, now)]
        self._schedules_at = now
        return found

    def _told(self, table: Table, lost: Lost, now: datetime) -> Found:
        due = lost.due
        _log.warning("nobody carries it on", of=lost.of, missed=due.what, due_at=stamp(due.at))
        paged = self._page(table, lost, now)
        return Found(lost.of, due.what, due.at, tuple(paged), lost.can_go_on)

    def _page(self, table: Table, lost: Lost, now: datetime) -> list[str]:
        """Send the round of pages that is due, if any; each page of it once, whoever was cut amid it."""
        book, key = Notebook(table), silence_key(lost.of, lost.due.at)
        silence, version = book.read(key, Silence)
        if silence is None:
            silence = Silence(what=lost.due.what, due_at=lost.due.at, noticed_at=now)
        rounds = lost.rounds((now - silence.noticed_at) * lost.about.speed)
        if rounds <= silence.rounds or (silence.claim is not None and silence.claim.until > now):
            return []
        claimed = silence.model_copy(update={"claim": Claim(holder=self._holder, until=now + _CLAIM)})
        if not book.write(key, claimed, version):
            return []
        pages = (lost.page(contact.id, role, rounds) for contact, role in self._people(lost, now))
        sent = send(self._house, self._pager, pages, now)
        done = {
            "claim": None,
            "told": [*silence.told, *sent.told],
            "rounds": rounds if sent.is_whole else silence.rounds,
        }
        book.write(key, silence.model_copy(update=done), version + 1)
        return [one.to for one in sent.told]

    def _people(self, lost: Lost, now: datetime) -> Iterator[tuple[Contact, str]]:
        """Who holds the roles that are concerned, by the worker's own files, each person once."""
        people = people_at(self._house, now)
        found: dict[str, tuple[Contact, str]] = {}
        for role in lost.roles:
            for contact in people.holders(role, lost.commander):
                found.setdefault(contact.id, (contact, role))
        yield from found.values()


def _missed(table: Table, state: IncidentState, now: datetime) -> Due | None:
    """The first thing that was due and did not happen, by the record and by what the hands have sent."""
    due = unattended.missed(state, now)
    if due is not None and (sent := _sent_since(table, state)) is not None:
        due = due if sent + state.scaled(_WITHOUT_RECORD) <= now else None
    swallowed = (
        page
        for number, page in ([] if state.ended else unattended.unsettled(state, now))
        if not copies_on_record(table, f"{state.id}/page/{number}")
    )
    return min(filter(None, (due, next(swallowed, None))), default=None)


def _sent_since(table: Table, state: IncidentState) -> datetime | None:
    """When the page went out that comes after the last one on record: the incident lives, and is not written down."""
    copies = copies_on_record(table, f"{state.id}/page/{len(state.pages) + 1}")
    return max((copy.at for copy in copies), default=None)
