"""Where a demo's people act: real signals to a real incident, and its timeline printed as it grows."""

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
from sandbox.runtime import supervisor
from sandbox.runtime.state import Files, State

_PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.1


class StoryError(Exception):
    """The story did not go as it should; the text says what was waited for."""


class Stage:
    """One incident on show. What people do here is what `temporal workflow signal` would send."""

    def __init__(self, client: Client, incident: str, files: Files, sandbox: State) -> None:
        self.client = client
        self.incident = incident
        self.handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(incident)
        self._files = files
        self._sandbox = sandbox
        self._shown = 0

    async def play(self, story: Any) -> None:
        """Play a story on this stage, and print what its end added to the timeline."""
        await story.play(self)
        await self.state()

    def narrate(self, text: str) -> None:
        click.secho(f"\n# {text}", bold=True)

    async def state(self) -> dict[str, Any]:
        """The incident as it stands, with everything new in its timeline printed."""
        await self._print_timeline()
        found: dict[str, Any] = await self._asked("state", dict)
        return found

    async def _asked(self, query: str, answer: type) -> Any:
        """Ask the incident; while its worker is being replaced nobody answers, so it is asked again."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return await self.handle.query(query, result_type=answer)
            except (RPCError, WorkflowQueryFailedError):
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(_POLL_SECONDS)

    async def until(self, what: str, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Wait until the incident's state is so; raises `StoryError` after two minutes."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            state = await self.state()
            if condition(state):
                return state
            await asyncio.sleep(_POLL_SECONDS)
        raise StoryError(f"waited {_PATIENCE_SECONDS:.0f} s for {what}")

    async def say(self, who: str, command: str, **payload: str) -> None:
        """Signal the incident as somebody and wait until the timeline shows that it was heard."""
        click.secho(f"{who}> {command} {' '.join(payload.values())}", fg="cyan")
        before = (await self.state())["timeline"]["length"]
        await self.handle.signal(command, {"by": who, **payload})
        await self.until(f"{command} to be heard", lambda state: state["timeline"]["length"] > before)

    async def request(self, who: str, step: str, **asked: Any) -> dict[str, Any]:
        """Ask for a change and return it once its plan is there, or it has ended without one."""
        return await self._planned(who, "request_change", step, set=asked)

    async def undo(self, who: str, step: str) -> dict[str, Any]:
        """Ask for the reverse of a step's last change and return it once its plan is there."""
        return await self._planned(who, "undo", step)

    async def _planned(self, who: str, command: str, step: str, **payload: Any) -> dict[str, Any]:
        click.secho(f"{who}> {command} {step} {' '.join(map(str, filter(None, payload.values())))}", fg="cyan")
        known = len((await self.state())["changes"])
        await self.handle.signal(command, {"by": who, "step": step, **payload})
        state = await self.until(
            f"the plan of {step}",
            lambda state: len(state["changes"]) > known and state["changes"][-1]["status"] != "planning",
        )
        change: dict[str, Any] = state["changes"][-1]
        if change["plan"]:
            click.echo(f"    plan    {change['plan']['summary']}")
            click.echo(f"    impact  {change['plan']['impact']}")
            click.echo(f"    digest  {change['plan']['digest']}")
        return change

    async def approve(self, who: str, change: dict[str, Any]) -> None:
        """Approve exactly the plan that was shown."""
        click.secho(f"{who}> approve {change['step']} {change['plan']['digest'][:12]}…", fg="cyan")
        name = change_workflow_id(self.incident, change["step"], change["generation"])
        payload = {"by": who, "digest": change["plan"]["digest"], "comment": "read and agreed"}
        await self.client.get_workflow_handle(name).signal("approve", payload)

    async def applied(self, step: str) -> dict[str, Any]:
        """Wait until the newest change of a step is applied and verified; raises when it ends otherwise."""
        ended = {"applied", "already-done", "rejected", "expired", "cancelled", "stale", "failed"}

        def newest(state: dict[str, Any]) -> dict[str, Any]:
            found: dict[str, Any] = [change for change in state["changes"] if change["step"] == step][-1]
            return found

        state = await self.until(f"{step} to be applied", lambda state: newest(state)["status"] in ended)
        change = newest(state)
        if change["status"] != "applied":
            raise StoryError(f"{step} ended {change['status']}: {change['reason']}")
        return change

    async def discharge(self, step: str, signers: list[str], **how: str) -> None:
        """End a duty: everybody who must sign signs the same."""
        for role in signers:
            await self.say(role, "discharge_obligation", step=step, justification="rehearsed", **how)

    async def finish(self, who: str, summary: str) -> None:
        """Take the incident from mitigated to closed: every required task is done by its owner."""
        await self.say(who, "mitigated", summary=summary)
        await self.say(who, "resolve", summary="Stable; the cause is known and withdrawn")
        state = await self.state()
        for task in state["tasks"]:
            if task["required"] and task["status"] == "open":
                await self.say(task["owner"], "complete_task", step=task["step"])
        await self.handle.signal("close", {"by": who})
        await self.until("the incident to be closed", lambda state: state["status"] == "closed")
        await self.handle.result()

    def kill_worker(self) -> None:
        """End the worker as a crash would: SIGKILL."""
        os.kill(self._sandbox.parts["worker"], signal.SIGKILL)
        click.secho("    the worker is killed (SIGKILL)", fg="red")

    def start_worker(self) -> None:
        """Start a worker in the dead one's place."""
        current, _ = supervisor.start(
            self._files,
            self._sandbox.runbooks,
            self._sandbox.environment,
            port_base=None,
            worker=True,
            supervised=False,
        )
        self._sandbox = current
        click.secho("    a new worker runs", fg="green")

    async def _print_timeline(self) -> None:
        entries = await self._asked("timeline", list)
        for entry in entries[self._shown :]:
            at = datetime.fromisoformat(entry["at"])
            click.echo(f"  {at:%H:%M:%S}  {entry['actor']:<18} {entry['text'].splitlines()[0]}")
        self._shown = len(entries)
