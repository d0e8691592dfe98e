"""Sandboxes as processes: what starts answers, what stops is gone, whatever happened in between.

Where the foreground command is the subject, a page that answers stands in for AWS, which takes long to fill.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from sandbox.runtime import processes, services, supervisor
from sandbox.runtime.launch import StartError
from sandbox.runtime.state import Files
from starters.files.shipped import shipped_folder
from tests.forked import ROOT, forked
from tests.organisations.folders import written
from tests.waiting import until


def run(*arguments: str, status: int = 0) -> str:
    [done] = forked(ROOT).run(("sandbox", *arguments), clean(), ROOT)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def clean() -> dict[str, str]:
    """This process's environment without what another sandbox may have left in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("INCIDENT_", "TEMPORAL_"))}


def carrying(data_dir: Path) -> set[int]:
    """The processes with a sandbox's mark, found without the code under test."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"INCIDENT_SANDBOX={data_dir}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.add(int(folder.name))
    return found


def variables(data_dir: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(run("env", "--json", "--data-dir", str(data_dir)))
    return found


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "one"
    for name in ("one", "two"):
        processes.end(Files(tmp_path / name))


def start(data_dir: Path, *more: str) -> str:
    return run("start", "--detach", "--no-worker", "--data-dir", str(data_dir), *more)


def test_what_starts_answers_and_what_stops_is_gone(data_dir: Path, tmp_path: Path) -> None:
    """When `start --detach` returns everything answers; a second start changes nothing; stop ends all, twice.

    Another organisation's sandbox beside it shares no port and no state: a fault and a stop of one stay there, its
    health checks lead to its own sandbox, and its file is untouched. A part of it that dies is brought back.
    """
    folder = written(tmp_path / "harbour")
    file = folder / "environments" / "docks.yaml"
    before = file.read_text()
    beside = ("--runbooks", str(folder), "--environment", "docks")
    other = tmp_path / "two"
    one = _everything_answers(data_dir)
    _a_second_start_changes_nothing(data_dir)
    start(other, *beside)
    two = variables(other)
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_UI", "AWS_ENDPOINT_URL", "STATUSPAGE_URL", "STATUSPAGE_API_KEY"):
        assert one[name] != two[name]
    assert (two["INCIDENT_ENVIRONMENT"], two["AWS_REGION"]) == ("docks", "eu-north-1")
    copy = Path(two["INCIDENT_RUNBOOKS"]) / "environments" / "docks.yaml"
    assert f"{two['STATUSPAGE_URL']}/alive" in copy.read_text()
    assert file.read_text() == before
    run("break", "outage-bad-deploy", "--data-dir", str(data_dir))
    assert requests.get(f"{one['STATUSPAGE_URL']}/health", timeout=5).status_code == 503
    _stop_leaves_nothing(data_dir)
    _is_as_before(two)
    _a_dead_part_is_brought_back(other, *beside)


def _everything_answers(data_dir: Path) -> dict[str, str]:
    first = json.loads(start(data_dir, "--json"))
    assert first["started"]
    env = variables(data_dir)
    assert env == first["env"]
    assert requests.get(f"{env['STATUSPAGE_URL']}/health", timeout=5).json() == {"status": "ok"}
    assert requests.get(env["TEMPORAL_UI"], timeout=5).ok
    sts = boto3.client(
        "sts",
        endpoint_url=env["AWS_ENDPOINT_URL"],
        region_name=env["AWS_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )
    assert sts.get_caller_identity()["Account"] == "123456789012"
    _outbox_shows_what_is_delivered(env, data_dir)
    return env


def _a_second_start_changes_nothing(data_dir: Path) -> None:
    before = carrying(data_dir)
    assert before
    assert not json.loads(start(data_dir, "--json"))["started"]
    assert carrying(data_dir) == before


def _stop_leaves_nothing(data_dir: Path) -> None:
    before = carrying(data_dir)
    assert json.loads(run("stop", "--json", "--data-dir", str(data_dir)))["stopped"] == len(before)
    assert carrying(data_dir) == set()
    assert json.loads(run("stop", "--json", "--data-dir", str(data_dir)))["stopped"] == 0
    assert "no sandbox is running" in run("env", "--data-dir", str(data_dir), status=1)


def _outbox_shows_what_is_delivered(env: dict[str, str], data_dir: Path) -> None:
    """A post to the status page is in the outbox, as JSON and as a table."""
    requests.post(
        f"{env['STATUSPAGE_URL']}/v1/pages/axis-imaging/incidents",
        json={"incident": {"name": "Outage", "metadata": {"incident_orchestrator": {"incident_id": "inc-1"}}}},
        headers={"Authorization": f"OAuth {env['STATUSPAGE_API_KEY']}"},
        timeout=5,
    )
    (entry,) = json.loads(run("outbox", "--json", "--data-dir", str(data_dir)))
    assert list(entry) == ["at", "channel", "to", "role", "subject", "body", "incident"]
    assert (entry["channel"], entry["incident"]) == ("statuspage", "inc-1")
    assert "statuspage" in run("outbox", "--data-dir", str(data_dir))


def _is_as_before(env: dict[str, str]) -> None:
    """The other's fault, its status page's post and its stop are not seen here."""
    assert requests.get(f"{env['STATUSPAGE_URL']}/alive", timeout=5).status_code == 200
    listed = requests.get(
        f"{env['STATUSPAGE_URL']}/v1/pages/none/incidents",
        headers={"Authorization": f"OAuth {env['STATUSPAGE_API_KEY']}"},
        timeout=5,
    )
    assert listed.json() == []


def _a_dead_part_is_brought_back(data_dir: Path, *more: str) -> None:
    """`start` of a partly running sandbox starts what is missing, on the same ports, and nothing else."""
    state = json.loads((data_dir / "sandbox.json").read_text())
    gone = {state["keeper"], state["pids"]["temporal"]}
    for pid in (state["keeper"], state["pids"]["temporal"]):  # Temporal alone comes back by itself
        os.kill(pid, signal.SIGKILL)
    until(lambda: not gone & carrying(data_dir), "Temporal is gone")
    before = variables(data_dir)
    start(data_dir, *more)
    again = json.loads((data_dir / "sandbox.json").read_text())
    assert variables(data_dir) == before
    assert again["pids"]["aws"] == state["pids"]["aws"]
    assert again["pids"]["aws"] in carrying(data_dir)
    assert {again["keeper"], again["pids"]["temporal"]} <= carrying(data_dir)


def test_killed_supervisor_leaves_nothing_after_stop(data_dir: Path) -> None:
    """A supervisor killed with SIGKILL cannot clean up; `stop` finds what it left and ends it."""
    foreground = in_front(data_dir)
    foreground.kill()
    foreground.wait()
    assert carrying(data_dir)
    Files(data_dir).state.unlink()
    run("stop", "--data-dir", str(data_dir))
    assert carrying(data_dir) == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_supervisor_stops_what_it_started(data_dir: Path, number: signal.Signals) -> None:
    """Ctrl-C or SIGTERM to the foreground command stops the sandbox, and the command exits 0."""
    foreground = in_front(data_dir)
    foreground.send_signal(number)
    assert foreground.wait(20) == 0
    assert carrying(data_dir) == set()


def test_supervisor_leaves_when_stopped_from_elsewhere(data_dir: Path) -> None:
    """`stop` from another terminal ends the foreground command too."""
    foreground = in_front(data_dir)
    run("stop", "--data-dir", str(data_dir))
    assert foreground.wait(20) == 0
    assert carrying(data_dir) == set()


def in_front(data_dir: Path) -> subprocess.Popen[str]:
    """Start a sandbox in the foreground, and return once it has printed how to reach it."""
    command = [sys.executable, "-m", "tests.sandbox.in_front", "sandbox", "start", "--no-worker"]
    command += ["--data-dir", str(data_dir)]
    foreground = subprocess.Popen(command, cwd=ROOT, env=clean(), stdout=subprocess.PIPE, text=True)
    assert foreground.stdout
    assert foreground.stdout.readline().startswith("export TEMPORAL_ADDRESS=")
    return foreground


def test_service_that_dies_is_reported(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a service dies on start the error names it with the end of its log, and nothing stays behind."""
    broken = data_dir.parent / "temporal"
    broken.write_text("#!/bin/sh\necho cannot open the database\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(services, "_temporal", lambda: str(broken))
    with pytest.raises(StartError, match=r"(?s)temporal died with exit status 3.*cannot open the database"):
        supervisor.start(Files(data_dir), shipped_folder(), "sandbox", port_base=None, worker=False, supervised=False)
    assert carrying(data_dir) == set()
    assert "no sandbox is running" in run("env", "--data-dir", str(data_dir), status=1)


def test_an_unwritable_data_directory_is_refused(tmp_path: Path) -> None:
    """A data directory that cannot be created is refused in a line that names the option to choose another."""
    (tmp_path / "taken").write_text("a file")
    printed = run("start", "--detach", "--data-dir", str(tmp_path / "taken" / "sandbox"), status=1)
    assert "cannot be created: Not a directory; choose another with --data-dir" in printed
    assert "Traceback" not in printed


def test_a_port_in_use_is_refused(data_dir: Path) -> None:
    """A port base with a port in use is refused, naming that port, before anything starts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        printed = run("start", "--detach", "--data-dir", str(data_dir), "--port-base", str(port - 2), status=1)
    assert printed.startswith("port ")
    assert str(port) in printed
    assert carrying(data_dir) == set()


def test_break_lists_and_refuses(tmp_path: Path) -> None:
    """Without a fault the faults are listed; an unknown one is refused with the same list."""
    faults: list[dict[str, Any]] = json.loads(run("break", "--json"))
    named = {one["name"] for one in faults}
    assert named >= {
        "outage-bad-deploy",
        "breach-exfiltration",
        "database-pool-exhaustion",
        "database-instance-down",
        "security-credential-stuffing",
        "performance-cpu",
        "audit-logging-stopped",
        "authentication-down",
        "backup-stale",
        "certificate-expiring",
    }
    assert "outage-bad-deploy" in run("break", "nothing", "--data-dir", str(tmp_path), status=1)
