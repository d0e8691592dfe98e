"""The loop of the watcher: it stands by, looks, recovers from trouble, and leaves when its worker is drained."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.ledger.store_time import ClockError
from domain.model.silence import Found
from tests.activities.scopes import NOW, environment
from worker.watching import watching

AT_ONCE = timedelta(0)
SECONDS = 20
LOST = Found("inc-20261123-7f3k", "page again", NOW, ("cto",), can_go_on=True)
NAME = "restore/inc-20261123-7f3k/2026-11-23T03:30:00Z"


class Looking:
    """A watcher whose looks come out as a test says, one after the other; then nothing is found."""

    def __init__(self, *looks: Any, restores: bool = False) -> None:
        self.environment = environment(restore_silent=restores)
        self.stopped = Event()
        self.done: list[str] = []
        self.noted: str | None = None
        self._looks: Iterator[Any] = iter(looks)

    def is_the_one(self) -> bool:
        self.done.append("lease")
        return True

    def look(self) -> list[Found]:
        found: Any = next(self._looks, [])
        self.done.append("look")
        if isinstance(found, Exception):
            raise found
        return list(found)

    def note_restore(self, found: Found, workflow: str) -> None:
        self.done.append(f"noted {found.incident} {workflow}")
        self.noted = workflow

    def restoring(self, found: Found) -> str | None:
        self.done.append(f"asked {found.incident}")
        return self.noted

    def leave(self) -> None:
        self.done.append("left")


class Restoring:
    """A Temporal in which each workflow is begun once."""

    def __init__(self, *errors: Exception) -> None:
        self.begun: list[tuple[str, str | None]] = []
        self._errors = iter(errors)

    async def start_workflow(self, name: str, asked: Any, *, id: str, **_: Any) -> None:  # noqa: A002
        if (error := next(self._errors, None)) is not None:
            raise error
        if id in [one for one, _ in self.begun]:
            raise WorkflowAlreadyStartedError(id, name)
        self.begun.append((id, asked.incident))


async def watch(watcher: Any, client: Any, until: Callable[[], bool]) -> None:
    async with watching(client, watcher, AT_ONCE), asyncio.timeout(SECONDS):
        while not until():
            await asyncio.sleep(0.001)


async def test_it_looks_again_and_again_and_leaves() -> None:
    """Whatever a look ends in; what was begun is done, and its lease is given back."""
    watcher = Looking([], ConnectionError("AWS does not answer"), ClockError("behind"), [])
    await watch(watcher, Restoring(), lambda: watcher.done.count("look") > 4)
    assert watcher.done[-1] == "left"
    assert watcher.stopped.is_set()


async def test_once_the_ledger_answers_again_it_waits() -> None:
    """What could not be written while it did not comes first; else all that lived would be taken for silent."""
    watcher = Looking(ConnectionError("AWS does not answer"))
    await watch(watcher, Restoring(), lambda: watcher.done.count("look") > 1)
    assert watcher.done[:5] == ["lease", "look", "lease", "lease", "look"]


@pytest.mark.parametrize("restores", [True, False])
async def test_a_silence_is_restored_once_where_the_environment_says_so(restores: bool) -> None:
    """However often it is found, and however Temporal answers; one whose record cannot be read never is."""
    unreadable = LOST._replace(incident="inc-20261123-0000", can_go_on=False)
    watcher = Looking([LOST, unreadable], [LOST], [LOST], restores=restores)
    temporal = Restoring(ConnectionError("Temporal is away"))
    await watch(watcher, temporal, lambda: watcher.done.count("look") > 4)
    assert temporal.begun == ([(NAME, LOST.incident)] if restores else [])
    assert watcher.done.count(f"noted {LOST.incident} {NAME}") == restores


@pytest.mark.parametrize("kept", [True, False])
async def test_a_name_that_a_stranger_has_taken_keeps_nothing_from_being_restored(
    kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and the next look takes a name that nobody can guess: once, though no note of it should be kept."""
    watcher, temporal = Looking(*[[LOST]] * 5, restores=True), Restoring()
    temporal.begun.append((NAME, "his"))
    if not kept:
        monkeypatch.setattr(watcher, "restoring", lambda _: None)
    with capture_logs() as logs:
        await watch(watcher, temporal, lambda: watcher.done.count("look") > 5)
    (_, (name, incident)) = temporal.begun
    assert name.startswith(f"{NAME}/")
    assert incident == LOST.incident
    assert [one["workflow"] for one in logs if one["log_level"] == "warning"] == [NAME, name]
    assert watcher.done.count(f"noted {LOST.incident} {name}") == 1


async def test_what_another_watcher_has_restored_is_left_alone() -> None:
    """By the record, and nothing is said of it."""
    watcher, temporal = Looking([LOST], [LOST], restores=True), Restoring()
    temporal.begun.append((NAME, LOST.incident))
    watcher.noted = NAME
    with capture_logs() as logs:
        await watch(watcher, temporal, lambda: watcher.done.count("look") > 2)
    assert (len(temporal.begun), logs) == (1, [])
