"""`incident restore`: what it asks of the workers, and how it says what became of each incident."""

from collections.abc import Iterator

import pytest

from domain.model.restoring import Restorable
from domain.values.severity import Severity
from tests.builders import T0
from tests.starters.backstage import Backstage
from tests.starters.conftest import Incident

OPEN = Restorable(
    incident="inc-20261123-7f3k",
    title="Portal down",
    type="system-outage",
    severity=Severity.P0,
    status="acknowledged",
    mode="live",
    declared_at=T0,
    entries=17,
    until=T0,
)
BROKEN = Restorable(incident="inc-20261123-9zzz", problem="the record of inc-20261123-9zzz is not intact: entry 3")


@pytest.fixture
def served(backstage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backstage]:
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    backstage.start_workers()
    yield backstage
    backstage.open_ones = None
    backstage.stop_workers()


@pytest.mark.parametrize("arguments", [(), ("inc-20261123-7f3k", "--all")])
def test_which_is_asked_for(incident: Incident, arguments: tuple[str, ...]) -> None:
    """Neither one nor all, or both, is wrong usage."""
    said = incident("restore", *arguments)
    assert (said.status, "an incident's ID, or --all" in said.err) == (2, True)


def test_without_a_worker_nobody_reads_the_ledger(
    incident: Incident, backstage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command itself has no AWS: it says that a worker is missing, and begins nothing."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    said = incident("restore", "--all")
    assert said.status == 3
    assert "no worker is polling" in said.err


def test_a_worker_that_does_not_know_the_ledger_is_said_to(incident: Incident, served: Backstage) -> None:
    """In one line, with the setting that it lacks."""
    said = incident("restore", "--all")
    assert said.status == 1
    assert said.err.strip().endswith("Refused: no record of it")


def test_a_dry_run_lists_what_would_be_restored(incident: Incident, served: Backstage) -> None:
    """As a table for people, and as JSON with every field; nothing is started."""
    served.open_ones = [OPEN]
    said = incident("restore", "--all", "--dry-run")
    assert said.status == 0
    for part in ("inc-20261123-7f3k", "P0", "acknowledged", "Portal down", "would be restored"):
        assert part in said.out
    (one,) = incident("restore", "inc-20261123-7f3k", "--from-ledger", "--dry-run", "--json").json
    assert (one["incident"], one["outcome"], one["entries"]) == ("inc-20261123-7f3k", "would-restore", 17)
    assert incident("list", "--json").json == []


def test_one_that_cannot_be_restored_is_a_refusal(incident: Incident, served: Backstage) -> None:
    """The others are listed all the same; the exit status and the last line say that one is left."""
    served.open_ones = [OPEN, BROKEN]
    said = incident("restore", "--all", "--dry-run", "--json")
    assert said.status == 1
    assert [one["outcome"] for one in said.json] == ["would-restore", "refused"]
    assert "inc-20261123-9zzz cannot be restored: the record of inc-20261123-9zzz is not intact" in said.err


def test_nothing_open_is_said_so(incident: Incident, served: Backstage) -> None:
    """Of all, that is no error; who names one that has ended is refused."""
    served.open_ones = []
    said = incident("restore", "--all")
    assert (said.status, said.out.strip()) == (0, "Nothing is open in the ledger.")
    said = incident("restore", "inc-20261123-7f3k")
    assert (said.status, "has ended: there is nothing to restore" in said.err) == (1, True)
