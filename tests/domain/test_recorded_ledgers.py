"""A ledger that an earlier release wrote is read by this one: whole, every kind, to the state that it came to then."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.model.event_kinds import KINDS, event_of
from domain.model.events import Delivered
from domain.model.state import IncidentState
from domain.model.timeline import Entry, Timeline
from domain.model.upcasts import STEPS
from domain.rules.evolve import fold
from tests.domain.record_ledgers import FOLDER, PLAYS

RECORDED = [FOLDER / f"{name}.jsonl" for name in PLAYS]


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def entries(file: Path) -> list[Entry]:
    return [Entry.model_validate(line) for line in lines(file)]


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_it_folds_to_the_state_of_then(file: Path) -> None:
    """What was decided, done and due when it was recorded is so still."""
    expected = (FOLDER / f"{file.stem}.state.json").read_text(encoding="utf-8")
    assert fold(entries(file)) == IncidentState.model_validate_json(expected)


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_its_chain_is_whole(file: Path) -> None:
    """Reading changes nothing: every entry has the hash and the bytes that were signed."""
    read = entries(file)
    assert Timeline(entries=read).first_broken() is None
    assert "".join(f"{entry.canonical()}\n" for entry in read) == file.read_text(encoding="utf-8")


def test_every_kind_is_there_and_read() -> None:
    """Each kind of event of today stands in a recorded ledger, and is read as its model."""
    found = [(entry.kind, event_of(entry)) for file in RECORDED for entry in entries(file)]
    assert {kind for kind, _ in found} == set(KINDS)
    assert all(type(event) is KINDS[kind] for kind, event in found)


def test_an_earlier_shape_is_read_as_todays() -> None:
    """A delivery of version 1 called the provider's id its reference; what is written now is version 2."""
    first = next(line for line in lines(RECORDED[0]) if line["kind"] == "delivery")
    assert (first["v"], "message_id" in first["data"]) == (1, False)
    event = event_of(Entry.model_validate(first))
    assert isinstance(event, Delivered)
    assert event.message_id == first["data"]["reference"]
    assert event_of(Entry.model_validate({**first, "v": Delivered.V, "data": event.data()})) == event
    assert Delivered.V == 2


def test_each_version_but_the_first_has_its_step() -> None:
    """A kind of version 3 has steps from 1 and from 2, and no step leads beyond the version of today."""
    assert set(STEPS) == {(kind, version) for kind, model in KINDS.items() for version in range(1, model.V)}
