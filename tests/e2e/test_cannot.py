"""What the command says when it cannot do what it is told: nobody there, or nothing it could read."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.house import House
from tests.e2e.workers import Worker, running
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-apart")]

START = ("start", "system-outage", "--severity", "P0", "--title", "Portal down")


@pytest.fixture(scope="module")
def empty(spare: House) -> House:
    """A sandbox in which no worker ever ran."""
    return spare


def test_without_a_worker_an_incident_is_created_and_waits_for_one(empty: House) -> None:
    """`start` exits 0 and warns on stderr, what needs an answer exits 3; the first worker pages at once."""
    started = empty.call(*START)
    assert started.returncode == 0
    assert started.stderr.startswith("Warning: no worker is polling")
    incident = started.stdout.split()[0]
    for command in (("ack",), ("note", "heard by nobody")):
        asked = empty.call(command[0], incident, *command[1:])
        assert asked.returncode == 3, asked.stderr
        assert asked.stderr.startswith("no worker is polling")
        assert (asked.stdout, asked.stderr.count("\n")) == ("", 1)
    assert empty.outbox(incident) == []
    with running(Worker(empty)):
        until(lambda: len(empty.outbox(incident)) == 4, "the leads are paged")
        empty.run("ack", incident)
        empty.run("false-alarm", incident, "--reason", "somebody is here")
        empty.asking.run(empty.asking.client.get_workflow_handle(incident).result())


@pytest.mark.parametrize("command", [START, ("ack", "inc-20261123-7f3k"), ("list",)], ids=lambda one: one[0])
def test_temporal_down_is_one_line(empty: House, command: tuple[str, ...]) -> None:
    """With Temporal down every command exits 3 with one line that names the address, and prints nothing else."""
    done = empty.call(*command, TEMPORAL_ADDRESS="127.0.0.1:9")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "Temporal is not reachable at 127.0.0.1:9\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("start", "flood", "--severity", "P0", "--title", "x"), "there is no runbook for 'flood'"),
        (("start", "system-outage", "--severity", "P9", "--title", "x"), "'P9' is not one of"),
    ],
)
def test_unknown_type_and_severity_exit_2(empty: House, arguments: tuple[str, ...], told: str) -> None:
    """A type without a runbook, and a severity that there is not, exit 2; nothing is printed."""
    done = empty.call(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_slip_in_a_runbook_names_file_line_and_key(empty: House, tmp_path: Path) -> None:
    """A slip in YAML makes `start` and `runbook lint` exit 2 with file, line and key; no incident is created."""
    folder = Path(shutil.copytree(empty.variables["INCIDENT_RUNBOOKS"], tmp_path / "axis-imaging"))
    file = folder / "system-outage.yaml"
    text = file.read_text().replace("after: 5m", "affter: 5m")
    file.write_text(text)
    line = text[: text.index("affter")].count("\n") + 1
    before = len(empty.json("list"))
    for command in (START, ("runbook", "lint", str(folder))):
        done = empty.call(*command, "--runbooks", str(folder))
        assert done.returncode == 2
        assert f"{file}:{line}: " in done.stderr
        assert "affter" in done.stderr
    assert len(empty.json("list")) == before
