"""The people of a demo: they send real signals to a real incident, whose timeline is printed as it grows."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError

from domain.values.ids import change_workflow_id
from domain.values.local_time import Clock
from sandbox.command import inject
from sandbox.runtime import processes, supervisor
from sandbox.runtime.state import Files, State
from starters.cli.terminal import folded

_PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.1


class ScenarioError(Exception):
    """The scenario did not go as expected; the text says what was waited for."""


def show(line: str, **style: Any) -> None:
    """Print a line in this style, wrapped if it goes to a terminal."""
    click.secho(folded(line), **style)


class Actors:
    """The people around one incident. Each of their acts is what `temporal workflow signal` would send."""

    def __init__(self, client: Client, incident: str, files: Files, sandbox: State, clock: Clock) -> None:
        self.client = client
        self.incident = incident
        self.handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(incident)
        self._files = files
        self._sandbox = sandbox
        self._clock = clock
        self._shown = 0

    async def play(self, scenario: Any) -> None:
        """Play a scenario, and print what its end added to the timeline."""
        await scenario.play(self)
        await self.state()

    def narrate(self, text: str) -> None:
        click.echo()
        show(f"# {text}", bold=True)

    async def state(self) -> dict[str, Any]:
        """Return the incident's state, once everything that led to it is printed."""
        found: dict[str, Any] = await self._query("state", dict)
        await self._print_timeline()
        return found

    async def _query(self, query: str, answer: type) -> Any:
        """Query the incident; retried, since nobody answers while its worker is being replaced."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return await self.handle.query(query, result_type=answer)
            except (RPCError, WorkflowQueryFailedError):
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(_POLL_SECONDS)

    async def until(self, what: str, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Wait until the incident's state meets the condition; raises `ScenarioError` after two minutes."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            state = await self.state()
            if condition(state):
                return state
            await asyncio.sleep(_POLL_SECONDS)
        raise ScenarioError(f"waited {_PATIENCE_SECONDS:.0f} s for {what}")

    async def say(self, who: str, command: str, **payload: str) -> None:
        """Signal the incident in this role and wait until the timeline shows it."""
        show(f"{who}> {command} {', '.join(payload.values())}".rstrip(), fg="cyan")
        before = (await self.state())["timeline"]["length"]
        await self.handle.signal(command, {"by": who, **payload})
        await self.until(f"{command} to be recorded", lambda state: state["timeline"]["length"] > before)

    async def request(self, who: str, step: str, **asked: list[str]) -> dict[str, Any]:
        """Request a change and return it once it has a plan, or has ended without one."""
        return await self._planned(who, "request_change", step, set=asked)

    async def undo(self, who: str, step: str) -> dict[str, Any]:
        """Request the undo of a step's last change and return it once it has a plan."""
        return await self._planned(who, "undo", step)

    async def _planned(self, who: str, command: str, step: str, **payload: Any) -> dict[str, Any]:
        asked = [f"{name}={','.join(values)}" for name, values in payload.get("set", {}).items()]
        show(" ".join([f"{who}> {command}", step, *asked]), fg="cyan")
        known = len((await self.state())["changes"])  # the same step may have changes already
        await self.handle.signal(command, {"by": who, "step": step, **payload})
        state = await self.until(
            f"the plan of {step}",
            lambda state: len(state["changes"]) > known and state["changes"][-1]["status"] != "planning",
        )
        change: dict[str, Any] = state["changes"][-1]
        if change["plan"]:
            for part in ("summary", "impact", "digest"):
                show(f"    {part:9}{change['plan'][part]}")
        if change["eligible"] == ["requester"]:
            await self.approve(who, change)
        return change

    async def approve(self, who: str, change: dict[str, Any]) -> None:
        """Approve exactly the plan shown."""
        click.secho(f"{who}> approve {change['step']} {change['plan']['digest'][:12]}…", fg="cyan")
        name = change_workflow_id(self.incident, change["step"], change["generation"])
        payload = {"by": who, "digest": change["plan"]["digest"], "comment": "read and agreed"}
        await self.client.get_workflow_handle(name).signal("approve", payload)

    async def applied(self, step: str, as_: str = "applied") -> dict[str, Any]:
        """Wait until a step's newest change is applied and verified; raises `ScenarioError` if it ends otherwise.

        `as_` is the end that is expected instead.
        """
        ended = {"applied", "partly-applied", "already-done", "rejected", "expired", "cancelled", "stale", "failed"}

        def newest(state: dict[str, Any]) -> dict[str, Any]:
            found: dict[str, Any] = [change for change in state["changes"] if change["step"] == step][-1]
            return found

        state = await self.until(f"{step} to be applied", lambda state: newest(state)["status"] in ended)
        change = newest(state)
        if change["status"] != as_:
            raise ScenarioError(f"{step} ended {change['status']}: {change['reason']}")
        return change

    async def discharge(self, step: str, signers: list[str], **how: str) -> None:
        """Discharge an obligation: each required signer signs the same."""
        for role in signers:
            await self.say(role, "discharge_obligation", step=step, justification="rehearsed", **how)

    async def finish(self, who: str, summary: str) -> None:
        """Take the incident from mitigated to closed, with every required task done by its owner."""
        await self.say(who, "mitigated", summary=summary)
        await self.say(who, "resolve", summary="Stable; the cause is known and removed")
        state = await self.state()
        for task in state["tasks"]:
            if task["required"] and task["status"] == "open":
                await self.say(task["owner"], "complete_task", step=task["step"])
        await self.handle.signal("close", {"by": who})
        await self.until("the incident to be closed", lambda state: state["status"] == "closed")
        await self.handle.result()

    def break_(self, fault: str) -> None:
        """Let something happen in AWS by itself at this moment."""
        show(f"    {inject(self._sandbox, fault)['done']}", fg="red")

    def kill_worker(self) -> None:
        """Kill the worker with SIGKILL, as a crash would, and wait until it is dead: a dying one counts as running."""
        worker = self._sandbox.pids["worker"]
        os.kill(worker, signal.SIGKILL)
        while worker in processes.running(self._files, [worker]):
            time.sleep(_POLL_SECONDS)
        click.secho("    the worker was killed (SIGKILL)", fg="red")

    def start_worker(self) -> None:
        """Start a worker in place of the dead one."""
        current, _ = supervisor.start(
            self._files,
            self._sandbox.runbooks,
            self._sandbox.environment,
            port_base=None,
            worker=True,
            supervised=False,
        )
        self._sandbox = current
        click.secho("    a new worker is running", fg="green")

    async def _print_timeline(self) -> None:
        entries = await self._query("timeline", list)
        for entry in entries[self._shown :]:
            at = datetime.fromisoformat(entry["at"]).astimezone(self._clock.zone)
            text = self._clock.in_text(entry["text"].splitlines()[0])
            show(f"  {at:%H:%M:%S}  {entry['actor']:<18} {text}")
        self._shown = len(entries)
