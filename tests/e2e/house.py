"""One sandbox as a person at a shell has it: the `incident` and `temporal` commands, boto3, and what was delivered."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import boto3
import requests

from sandbox.runtime.outbox import Outbox
from sandbox.runtime.state import Files
from tests.e2e.asking import Asking
from tests.forked import ROOT, forked
from tests.waiting import until

COMMAND = (sys.executable, "-m", "starters.cli.main")
TEMPORAL = Path(sys.executable).parent / "temporal"
Document = dict[str, Any]

_FOREIGN = ("INCIDENT_", "TEMPORAL_", "AWS_", "STATUSPAGE_", "OTEL_")
_COMMAND_SECONDS = 100


def clean() -> dict[str, str]:
    """This process's environment without what leads to another Temporal, AWS or collector."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return kept | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", "PYTHONUNBUFFERED": "1"}


class House:
    """A started sandbox. `command` is how `incident` is called, from the folder `cwd`; the usual one is forked."""

    def __init__(self, data_dir: Path, command: tuple[str, ...] = COMMAND, cwd: Path = ROOT) -> None:
        self.data_dir = data_dir
        self.command = command
        self.cwd = cwd
        self.variables: dict[str, str] = {}
        self._clients: dict[str, Any] = {}
        self._asking: Asking | None = None

    @property
    def environment(self) -> dict[str, str]:
        return clean() | self.variables

    def open(self, *arguments: str) -> None:
        """Start the sandbox, and take over how it is reached."""
        self.run("sandbox", "start", "--detach", "--data-dir", str(self.data_dir), *arguments)
        self.variables = self.json("sandbox", "env", "--data-dir", str(self.data_dir))

    def reopen(self) -> None:
        """Start what has died of the sandbox, and forget the connections to it."""
        self._asking = None
        self.open("--no-worker")

    @property
    def asking(self) -> Asking:
        """A client of the sandbox's Temporal, for what is looked at again and again."""
        self._asking = self._asking or Asking(self.variables)
        return self._asking

    def close(self) -> None:
        self.run("sandbox", "stop", "--data-dir", str(self.data_dir))

    def call(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Call `incident`, with `more` in its environment, and return whatever came of it."""
        if self.command == COMMAND:
            return self.together(1, *arguments, **more)[0]
        return subprocess.run(
            [*self.command, *arguments],
            cwd=self.cwd,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )

    def together(self, count: int, *arguments: str, **more: str) -> "list[subprocess.CompletedProcess[str]]":
        """Call `incident` so many times at one instant."""
        return forked(ROOT).run(arguments, self.environment | more, self.cwd, count)

    def run(self, *arguments: str, **more: str) -> str:
        """Call `incident`, which must exit 0, and return what it printed."""
        done = self.call(*arguments, **more)
        assert done.returncode == 0, f"incident {' '.join(arguments)} exits {done.returncode}: {done.stderr}"
        return done.stdout

    def json(self, *arguments: str, **more: str) -> Any:
        return json.loads(self.run(*arguments, "--json", **more))

    def start(self, title: str, *arguments: str, **more: str) -> str:
        """Declare a P0 system outage and return its id."""
        answer = self.json("start", "system-outage", "--severity", "P0", "--title", title, *arguments, **more)
        incident: str = answer["incident_id"]
        return incident

    def show(self, incident: str) -> Document:
        found: Document = self.json("show", incident)
        return found

    def _seen(self, incident: str, part: str) -> list[Document]:
        """One part of an incident's state; nothing while no worker answers, as after a kill."""
        found: list[Document] = self._look(incident).get(part, [])
        return found

    def _look(self, incident: str) -> Document:
        """An incident's state; empty while no worker answers, as after a kill."""
        return self.asking.query(incident, "state") or {}

    def state(self, incident: str) -> Document:
        """The document that `show` prints, of Temporal itself, once a worker answers."""
        return until(lambda: self._look(incident), f"{incident} tells its state")

    def until(self, incident: str, what: str, holds: Callable[[Document], Any], seconds: float = 30) -> Document:
        """Wait until something holds of an incident's state, and return that state."""

        def look() -> Document | None:
            state = self._look(incident)
            return state if state and holds(state) else None

        return until(look, f"{incident}: {what}", seconds)

    def timeline(self, incident: str) -> list[Document]:
        found: list[Document] = self.json("timeline", incident)
        return found

    def findings(self, incident: str, count: int) -> dict[str, Document]:
        """Wait for that many findings, and return them by step; none may come twice."""

        def look() -> list[Document]:
            found = self._seen(incident, "findings")
            return found if len(found) >= count else []

        found = until(look, f"{count} findings of {incident}")
        by_step = {one["step"]: one for one in found}
        assert len(by_step) == len(found) == count
        return by_step

    def change(self, incident: str, status: str, number: int = 1, step: str = "rollback") -> Document:
        """Wait until the change of that number has a status, and return it."""

        def look() -> Document | None:
            asked = [change for change in self._seen(incident, "changes") if change["step"] == step]
            return next((one for one in asked if (one["generation"], one["status"]) == (number, status)), None)

        return until(look, f"change {number} of {incident} is {status}")

    def told(self, incident: str, step: str) -> Document:
        """Wait until a notice is sent, and return it; the status page itself lets in one request a second."""

        def look() -> Document | None:
            notices = self._seen(incident, "notices")
            return next((one for one in notices if (one["step"], one["status"]) == (step, "sent")), None)

        return until(look, f"{step} of {incident} is sent")

    def ended(self, incident: str) -> Document:
        """Wait until an incident is closed or a false alarm, and return its last account."""
        self.until(incident, "it ends", lambda state: state["status"] in {"closed", "false-alarm"})
        return self.show(incident)

    def signal(self, workflow: str, name: str, **payload: Any) -> None:
        """Send a signal as anybody may, by the plain `temporal` command; again where the server is too busy for it."""

        def sent() -> bool:
            done = subprocess.run(
                [TEMPORAL, "workflow", "signal", "-w", workflow, "--name", name, "--input", json.dumps(payload)],
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
            assert done.returncode == 0 or "Workflow is busy" in done.stderr, f"{name} to {workflow}: {done.stderr}"
            return done.returncode == 0

        until(sent, f"{workflow} takes {name}")

    def aws(self, service: str) -> Any:
        """A boto3 client of the sandbox's AWS, past any wire."""
        if service not in self._clients:
            self._clients[service] = boto3.Session(
                self.variables["AWS_ACCESS_KEY_ID"],
                self.variables["AWS_SECRET_ACCESS_KEY"],
                region_name=self.variables["AWS_REGION"],
            ).client(cast("Any", service), endpoint_url=self.variables["AWS_ENDPOINT_URL"])
        return self._clients[service]

    def outbox(self, incident: str) -> list[Document]:
        """What was delivered about an incident, oldest first."""
        delivered: list[Document] = Outbox(Files(self.data_dir).outbox).entries()
        return [one for one in delivered if one["incident"] == incident]

    def healthy(self) -> bool:
        """Tell whether the portal answers."""
        return requests.get(f"{self.variables['STATUSPAGE_URL']}/health", timeout=10).status_code == 200

    def public(self, incident: str, page: str = "axis-imaging") -> list[Document]:
        """The status page's incidents that stand for one of ours."""

        def look() -> requests.Response | None:
            answer = requests.get(
                f"{self.variables['STATUSPAGE_URL']}/v1/pages/{page}/incidents",
                headers={"Authorization": f"OAuth {self.variables['STATUSPAGE_API_KEY']}"},
                timeout=10,
            )
            return answer if answer.ok else None  # one request a second is let in; the worker's count too

        listed = until(look, "the status page answers").json()
        return [
            one for one in listed if one["metadata"].get("incident_orchestrator", {}).get("incident_id") == incident
        ]
