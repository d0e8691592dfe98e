"""A record says by itself whether its incident is carried on; one that is well is never taken for one that is not."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from domain.model.commands import Acknowledge
from domain.model.event_kinds import Happening, event_of
from domain.model.events import Delivered
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.rules import clock, tasks, unattended
from domain.rules.evolve import begun, evolve
from domain.rules.live import LiveIncident
from tests.activities.left_behind import closed
from tests.builders import CHAIN, T0, declaration, minutes
from tests.domain.stored_incidents import Stored
from tests.domain.test_recorded_ledgers import RECORDED, entries
from tests.drills import exercise

GRACE = timedelta(minutes=2)


class Well(Stored):
    """One whose workers are never away for minutes."""

    def _late(self) -> None:
        self._time()


def silences(record: list[Entry]) -> Iterator[str]:
    """What is missed by the record at each moment at which something of it is due, and once its grace is over."""
    state = begun(record[0])
    for before, entry in pairwise(record):
        dues = {due.at for due in (*clock.upcoming(state), *clock.voting_ends(state))}
        dues |= {at for at, _ in tasks.upcoming(state)}
        for look in sorted({entry.at, *dues, *(due + GRACE for due in dues)}):
            if before.at <= look < entry.at and (due := unattended.missed(state, look)) is not None:
                yield f"{due.what}, due {due.at}, before entry {entry.seq} ({entry.kind}, {entry.at})"
        state = evolve(state, entry, event_of(entry))


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_of_a_recorded_incident_nothing_is_missed(file: Path) -> None:
    """Drills, upkeep, floods and delays included, at every moment of their records.

    The recorded changes are played without the clock of their votes.
    """
    assert [one for one in silences(entries(file)) if "its voters' time" not in one] == []


@pytest.mark.parametrize("number", range(60))
def test_of_an_incident_that_goes_on_nothing_is_missed(number: int) -> None:
    """Whatever people say to it, and however often it is restored."""
    assert list(silences(Well(number).entries)) == []


def test_what_is_due_is_missed_after_two_minutes() -> None:
    """Of policy time, and never sooner than workers and ledger can have it on record."""
    state = declared()
    assert unattended.missed(state, T0 + minutes(2) - timedelta(seconds=1)) is None
    missed = unattended.missed(state, T0 + minutes(2))
    assert missed is not None
    assert (missed.at, missed.what) == (T0, "page")
    fast = declared(speed=60)
    assert unattended.missed(fast, T0 + timedelta(seconds=29)) is None
    assert unattended.missed(fast, T0 + timedelta(seconds=30)) is not None


def test_a_page_of_which_nothing_comes_is_told_apart() -> None:
    """By its number, as the hands know it; one that went out, or could not, has come to something."""
    live = LiveIncident.declared(declaration())
    live.pass_time(T0)
    found = list(unattended.unsettled(live.state, T0 + minutes(2)))
    assert [number for number, _ in found] == [1, 2, 3, 4]
    assert list(unattended.unsettled(live.state, T0 + minutes(1))) == []
    live.take([Happening(Delivered(message="page", number=2, to="cto", channel="sms", message_id="x"))], T0)
    assert [number for number, _ in unattended.unsettled(live.state, T0 + minutes(2))] == [1, 3, 4]


def test_who_is_told_of_a_silence() -> None:
    """Whom the round that is due would page; the commander, where there is one; and the first of the chain."""
    live = LiveIncident.declared(declaration())
    assert unattended.concerned(live.state, T0) == ("devops-lead", "development-lead", "security-lead", CHAIN[0])
    live.pass_time(T0)
    assert unattended.concerned(live.state, T0 + minutes(16))[-2:] == (CHAIN[0], CHAIN[1])
    live.hear("acknowledge", Acknowledge(by="development-lead"), T0 + minutes(3))
    assert unattended.concerned(live.state, T0 + minutes(4)) == ("incident-commander", CHAIN[0])


def test_what_a_closed_incident_has_left_is_missed() -> None:
    """A reminder that did not go out; its owners are told, and the first of the chain, once a day."""
    state, due = closed().incident.state, T0 + timedelta(days=10)
    assert unattended.missed(state, due + minutes(2) - timedelta(seconds=1)) is None
    assert unattended.missed(state, due + minutes(2)) == (due, "training overdue")
    assert unattended.owners(state) == ("devops-lead", CHAIN[0])
    days = [timedelta(days=days) for days in (0, 0.9, 1, 1.9, 2)]
    assert [unattended.daily_rounds_by(elapsed) for elapsed in days] == [1, 1, 2, 2, 3]
    drilled = closed(mode="drill", drill=exercise()).incident.state
    assert unattended.missed(drilled, due + minutes(2)) is None


def test_the_pauses_between_pages_grow_to_an_hour() -> None:
    rounds = [unattended.rounds_by(minutes(at)) for at in (0, 4, 5, 14, 15, 34, 35, 74, 75, 134, 135)]
    assert rounds == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6]


def declared(**given: Any) -> IncidentState:
    return LiveIncident.declared(declaration(**given)).state
