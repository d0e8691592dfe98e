"""The command before it reaches Temporal: help, usage, files, and a server that is not there."""

import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from starters.cli.main import _COMMANDS
from starters.cli.terminal import folded
from starters.files.shipped import shipped_folder
from tests.starters.conftest import Incident

ROOT = Path(__file__).parents[2]
START = ("start", "system-outage", "--severity", "P0", "--title", "Portal down")


def process(*arguments: str | bytes, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def seconds(*arguments: str) -> float:
    """The best of seven runs: noise only ever adds."""
    times = []
    for _ in range(7):
        began = time.perf_counter()
        assert process(*arguments).returncode == 0
        times.append(time.perf_counter() - began)
    return min(times)


def test_help_tells_every_command_and_imports_nothing_heavy() -> None:
    """`incident --help` has a line for every command and loads no Temporal, AWS, rich, YAML or pydantic."""
    said = process("-X", "importtime", "-m", "starters.cli.main", "--help")
    assert said.returncode == 0
    for name, (_, text) in _COMMANDS.items():
        assert f"  {name} " in said.stdout
        assert text in said.stdout
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in said.stderr.splitlines() if "|" in line}
    assert "click" in loaded
    assert not loaded & {"temporalio", "boto3", "botocore", "rich", "pydantic", "yaml", "google", "asyncio"}


def test_version_is_the_installed_one() -> None:
    """`incident --version` tells what is installed."""
    said = process("-m", "starters.cli.main", "--version")
    assert (said.returncode, said.stdout) == (0, f"incident, version {version('incident-orchestrator')}\n")


def test_help_takes_at_most_eight_bare_interpreters() -> None:
    """`incident --help` costs at most eight times a bare interpreter."""
    assert seconds("-m", "starters.cli.main", "--help") <= 8 * seconds("-c", "pass")


def test_bytes_that_are_no_text_are_refused() -> None:
    """No record can hold them: they are refused before anything is sent, in one line."""
    for said in (
        process("-m", "starters.cli.main", *START, "--description", b"a\xffb"),
        process("-m", "starters.cli.main", "note", "inc-1", b"\xff"),
    ):
        assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1)
        assert "is no text in UTF-8" in said.stderr


@pytest.mark.parametrize("speed", ["inf", "nan"])
def test_a_speed_that_no_clock_can_have_is_refused(incident: Incident, speed: str) -> None:
    said = incident(*START, "--speed", speed)
    assert (said.status, said.out, said.err) == (2, "", "incident start: --speed must be a number, such as 60\n")


def test_an_unreachable_temporal_is_told_within_seconds() -> None:
    """Exit 3 with one line that names the address, and nothing on stdout."""
    began = time.monotonic()
    said = process("-m", "starters.cli.main", "show", "inc-20261123-7f3k", "--json", TEMPORAL_ADDRESS="127.0.0.1:1")
    assert (said.returncode, said.stdout) == (3, "")
    assert said.stderr == "Temporal is not reachable at 127.0.0.1:1\n"
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("command", ["show", "timeline", "report", "ack", "close", "watch"])
def test_every_command_tells_an_unreachable_temporal(incident: Incident, command: str) -> None:
    """Exit 3 is the same for all that talk to Temporal."""
    assert incident(command, "inc-20261123-7f3k").status == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("start", "system-outage", "--severity", "P9", "--title", "x"), "P9"),
        (("start", "system-outage", "--severity", "P0"), "--title"),
        (("start", "meteor", "--severity", "P0", "--title", "x"), "system-outage"),
        ((*START, "--environment", "moon"), "sandbox"),
        ((*START, "--environment", "staging"), "staging.yaml:"),
        ((*START[:-1], "two\nlines"), "one line"),
        ((*START[:-1], " "), "one line"),
        ((*START, "--key", "k", "--dry-run"), "--key"),
        ((*START, "--speed", "0"), "--speed"),
        (("change", "inc-1", "scale-up", "--set", "count"), "NAME=VALUE"),
        (("change", "inc-1", "scale-up", "--set", "count=1", "--set", "count=2"), "twice"),
        (("approve", "inc-1", "rollback"), "--digest"),
        (("list", "--waiting-for", "x' OR 'a"), "role"),
        (("list", "--status", "open"), "declared"),
        (("report", "inc-1", "--json", "--format", "html"), "contradict"),
        (("bogus",), "bogus"),
    ],
)
def test_wrong_usage_exits_2_in_one_line(incident: Incident, arguments: tuple[str, ...], told: str) -> None:
    """Wrong usage and invalid input exit 2 before Temporal is asked, and say what is wrong."""
    said = incident(*arguments)
    assert (said.status, said.out) == (2, "")
    assert told in said.err
    assert arguments[-1] == "staging" or said.err.count("\n") == 1


def test_only_a_sandbox_runs_faster(incident: Incident, tmp_path: Path) -> None:
    """`--speed` outside an environment of kind sandbox is wrong usage."""
    folder = _copy(tmp_path)
    file = folder / "environments" / "sandbox.yaml"
    file.write_text(file.read_text().replace("kind: sandbox", "kind: staging"))
    said = incident(*START, "--speed", "60", "--runbooks", str(folder))
    assert said.status == 2
    assert "--speed is for sandboxes only" in said.err


def test_only_in_a_sandbox_nobody_need_say_who_declares(
    incident: Incident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere the workers would not take it: the command says so at once."""
    folder = _copy(tmp_path)
    file = folder / "environments" / "sandbox.yaml"
    monkeypatch.delenv("INCIDENT_AS")
    file.write_text(file.read_text().replace("kind: sandbox", "kind: staging"))
    said = incident(*START, "--runbooks", str(folder))
    assert (said.status, said.out) == (2, "")
    assert "say who you are" in said.err


def test_who_acts_must_be_said(incident: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --as and INCIDENT_AS nobody acts: exit 2."""
    monkeypatch.delenv("INCIDENT_AS")
    said = incident("ack", "inc-20261123-7f3k")
    assert said.status == 2
    assert "--as" in said.err


def test_who_declares_must_be_known(incident: Incident) -> None:
    """A declarer that the organisation does not know is refused: exit 1."""
    assert incident(*START, "--as", "nobody").status == 1


def test_a_slip_in_a_runbook_names_file_line_and_key(incident: Incident, tmp_path: Path) -> None:
    """An unknown key exits 2 with its file and line, from `start` as from `runbook lint`."""
    folder = _copy(tmp_path)
    file = folder / "system-outage.yaml"
    lines = file.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("owner:"))
    lines[at] = lines[at].replace("owner:", "onwer:")
    file.write_text("\n".join(lines))
    for said in (incident(*START, "--runbooks", str(folder)), incident("runbook", "lint", str(folder))):
        assert said.status == 2
        assert f"{file}:{at + 1}: onwer" in said.err
    told = incident("runbook", "lint", "--runbooks", str(folder), "--json")
    assert told.status == 2
    assert at + 1 in [problem["line"] for problem in told.json["problems"]]


def test_runbooks_are_listed_shown_and_checked(incident: Incident) -> None:
    """The shipped runbooks are listed and without fault, and one reads with its steps and who must approve."""
    assert "system-outage" in [book["id"] for book in incident("runbook", "list", "--json").json]
    assert incident("runbook", "lint").status == 0
    shown = incident("runbook", "show", "system-outage")
    assert shown.status == 0
    for word in ("rollback", "needs incident-commander or technical-manager", "look", "do ", "notify"):
        assert word in shown.out
    assert incident("runbook", "schema", "--json").json["type"] == "object"
    assert incident("runbook", "show", "meteor").status == 2


def test_a_shown_runbook_says_what_happens_by_itself(incident: Incident) -> None:
    """What raises the severity, opens another incident, or starts and waits for evidence is not left to be guessed."""
    security = incident("runbook", "show", "security").out
    assert "            if suspect, raises the severity to P0\n" in security
    assert "            if suspect, opens an incident of type data-breach\n" in security
    assert "suggested if failed-sign-ins, administrator-sign-ins or data-access is suspect" in security
    breach = incident("runbook", "show", "data-breach").out
    assert "  start   snapshot-database: " in breach
    assert "            waits for snapshot-database and preserve-logs to start, for at most five minutes\n" in breach
    assert "Paged at once if sensitive information is affected: ceo\n" in breach
    assert "services=backend,frontend" in breach
    assert "None" not in security + breach
    assert "class A3: needs both cto and devops-lead\n" in incident("runbook", "show", "database").out


def test_long_lines_are_folded_under_their_text() -> None:
    """In a window a line breaks between words, and what follows stands under what it belongs to; else it is whole."""
    line = "  offer   scale-up: Scale the backend up [ecs.scale_service service=backend]"
    assert folded(line, 50) == (
        "  offer   scale-up: Scale the backend up\n          [ecs.scale_service service=backend]"
    )
    assert folded(line) == line
    assert (
        folded("            class A2: needs incident-commander", 36).splitlines()[1].startswith(" " * 12 + "incident")
    )


def _copy(tmp_path: Path) -> Path:
    folder = tmp_path / "organisation"
    for file in shipped_folder().rglob("*.yaml"):
        copy = folder / file.relative_to(shipped_folder())
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text())
    return folder
