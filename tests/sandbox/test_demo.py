"""The people of a demo, and what it checks at its end."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pytest

from domain.values.local_time import Clock
from sandbox import every_demo
from sandbox.faults.inject import FAULTS
from sandbox.runtime import processes
from sandbox.runtime.aws_world import World
from sandbox.runtime.state import Files, State
from sandbox.scenarios.actors import Actors
from sandbox.scenarios.plain import Authentication, Backup, Plain

_INCIDENT = "inc-20261123-7f3k"


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    files = Files(tmp_path)
    yield files
    processes.end(files)


def _actors(files: Files, client: Any = None, **pids: int) -> Actors:
    state = State(
        port_base=7233,
        environment="sandbox",
        region="ap-southeast-2",
        ledger_table="ledger",
        runbooks=files.runbooks,
        acting_as="devops-lead",
        status_page_key="",
        pids=pids,
    )
    return Actors(client or Mock(), _INCIDENT, files, state, Clock(ZoneInfo("Australia/Sydney")))


def test_a_worker_that_was_killed_is_dead_before_another_is_started(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start looks who runs: a worker that is still dying would be taken for one that works."""
    with processes.spawn(
        files, "worker", [sys.executable, "-c", "import time; time.sleep(60)"], dict(os.environ)
    ) as worker:
        monkeypatch.setattr(os, "kill", lambda pid, number, kill=os.kill: Timer(0.5, kill, (pid, number)).start())
        _actors(files, worker=worker.pid).kill_worker()
        assert not processes.running(files)
        assert worker.wait() == -signal.SIGKILL


async def test_what_led_to_a_state_is_printed_before_anybody_acts_on_it(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    """An event that comes between two queries is in what is printed, in the organisation's time."""
    happened: list[dict[str, Any]] = []

    async def query(name: str, **_: Any) -> Any:
        if name == "timeline":
            return list(happened)
        happened.append({"at": "2026-11-23T03:25:00Z", "actor": "cto", "text": "Kept until 2033-11-23T03:25:00.5Z"})
        return {"status": "closed"}

    client = Mock()
    client.get_workflow_handle.return_value.query = query
    await _actors(files, client).state()
    assert capsys.readouterr().out == "  14:25:00  cto                Kept until 2033-11-23 14:25:00 +11:00\n"


def _holds(scenario: Plain, world: World, words: str) -> bool:
    """How the check with these words came out, for an incident that is closed."""
    scenario._state = {"id": _INCIDENT, "tasks": [], "findings": [], "status": "closed"}
    checks = scenario.checks(world.client, world.environment, {})
    return next(one.holds for one in checks if words in one.what)


def test_the_copy_of_a_snapshot_is_no_second_snapshot(world: World) -> None:
    """Where the environment names a forensic account, each snapshot has a copy for it."""
    rds, primary = world.client("rds"), world.environment.databases["primary"].identifier

    def take(name: str) -> None:
        rds.create_db_snapshot(DBSnapshotIdentifier=f"ir-{_INCIDENT}-{primary}-{name}", DBInstanceIdentifier=primary)

    assert not _holds(Backup(), world, "one snapshot")
    take("1")
    take("1-copy")
    assert _holds(Backup(), world, "one snapshot")
    take("2")
    assert not _holds(Backup(), world, "one snapshot")


def test_people_sign_in_again_from_the_minute_in_which_it_is_mended(world: World) -> None:
    """Nobody does while Cognito answers with errors."""
    FAULTS["authentication-down"](world)
    assert not _holds(Authentication(), world, "sign-ins succeed")
    FAULTS["authentication-restored"](world)
    assert _holds(Authentication(), world, "sign-ins succeed")


def test_of_every_demo_the_one_that_fails_is_told_with_what_it_said(capsys: pytest.CaptureFixture[str]) -> None:
    """The others are played all the same."""
    ended = every_demo.play(["nothing", "nowhere"], ["--environment", "sandbox"])
    assert [(one["scenario"], one["as_expected"]) for one in ended] == [("nothing", False), ("nowhere", False)]
    said = capsys.readouterr().out
    assert "there is no scenario 'nothing'" in said
    assert "NOT as expected" in said
