"""What `incident rehearse` takes of the CPU, against only folding the same records, as `incident stats` does.

The records are incidents of all severities under the shipped runbooks, with people and findings by chance, each to its
end. Nothing differs in them: looking for a cause costs what changes, and comes on top.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

from benchmarks.figures import Figure, compared
from benchmarks.stage import Size, Stage
from domain.config.organisation import Organisation
from domain.model.declaration import Declaration
from domain.model.finding import FindingStatus
from domain.model.timeline import Entry, Timeline
from domain.rehearsal.documents import Documents
from domain.rehearsal.record import read
from domain.rehearsal.rehearse import Rehearser
from domain.rules import findings
from domain.rules.evolve import fold
from domain.simulation.play import Simulation
from domain.simulation.script import Look, Said, said
from starters.files.shipped import shipped_folder
from starters.files.simulated import CLASSES, simulated

_MARK = 3
_RECORDS, _QUICK = 300, 6
_TYPES = ("system-outage", "data-breach", "performance", "authentication-failure", "database")
_SEVERITIES = ("P0", "P1", "P2", "P3")
_LENGTH = timedelta(hours=4)


async def run(stage: Stage, size: Size) -> list[Figure]:  # noqa: ARG001 - needs no server
    """Tell the ratio of the CPU that a record takes."""
    records = [_record(number) for number in range(_QUICK if size.quick else _RECORDS)]
    pairs = [(_timed(_rehearse, records), _timed(_fold, records)) for _ in range(size.pairs)]
    what = f"CPU of a record, of {len(records)}, rehearsed / folded"
    return [compared("rehearsed", what, "ms", pairs, _MARK, at_most=True)]


def _timed(work: Callable[[list[str]], None], records: list[str]) -> float:
    """Milliseconds of CPU that one record takes."""
    before = time.process_time()
    work(records)
    return 1000 * (time.process_time() - before) / len(records)


def _entries(record: str) -> list[Entry]:
    """The entries, each of which follows from the one before it."""
    entries = [Entry.model_validate_json(line) for line in record.splitlines()]
    if Timeline(entries=entries).first_broken():
        raise ValueError("the chain is broken")
    return entries


def _fold(records: list[str]) -> None:
    for record in records:
        fold(_entries(record))


def _rehearse(records: list[str]) -> None:
    rehearser = Rehearser(CLASSES)
    for one in records:
        record = read(_entries(one))
        if rehearser.rehearse(record, Documents.of(record.declaration)):
            raise ValueError(f"{record.state.id} differs from itself")


@cache
def _declared(type_: str, severity: str) -> Declaration:
    return simulated(shipped_folder(), type_, severity, environment="sandbox")


def _record(number: int) -> str:
    """An incident as the ledger has it, an entry a line."""
    chance = random.Random(number)
    declared = _declared(chance.choice(_TYPES), chance.choice(_SEVERITIES))
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=9 * number)
    declared = declared.model_copy(
        update={"incident_id": f"inc-{number}", "declared_at": at, "phi": chance.random() < 0.3}
    )
    looks = [
        Look(step.id, chance.choice(list(FindingStatus)), timedelta(seconds=chance.randint(1, 90)))
        for step in findings.probes(declared.runbook)
    ]
    played = Simulation(declared, CLASSES, looks, sealed=True)
    played.run(_people(chance, declared.organisation), _LENGTH)
    return "\n".join(entry.canonical() for entry in played.incident.timeline.entries)


def _people(chance: random.Random, organisation: Organisation) -> list[Said]:
    """What people say: most lead on to the end, and somebody always comes in between."""
    minutes = sorted(chance.sample(range(2, 200), 8))
    words = ("ack", "change rollback", "approve rollback", "mitigated", "note", "resolve", "severity P1", "note")
    return [
        said(f"{word} at {minute}m by {chance.choice(organisation.contacts).id}")
        for word, minute in zip(words, minutes, strict=True)
    ]
