"""Whatever is said to whichever workflow, across its runs: no task fails, nothing is lost, each is refused or done."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.model.commands import CHANGE_COMMANDS, INCIDENT_COMMANDS
from domain.model.declaration import Alert, KeyHold
from domain.model.drill import DrillRun
from domain.model.reading import Input, UnreadableError, read
from domain.rules.change_messages import Commander, Life, Nothing
from domain.values import ids
from tests.attacks.stranger import failed_tasks, lengths
from tests.attacks.test_floods import counted
from tests.builders import declaration
from tests.domain.test_reading import INPUTS
from tests.workflows import conftest
from tests.workflows.asking import ask
from tests.workflows.told import Told
from tests.workflows.world import World

_DONE: dict[str, type[BaseModel]] = {
    "alert": Alert,
    "commander_is": Commander,
    "evidence_begun": Nothing,
    "tell_by_signal": Life,
}
"""What may be done of what is made up: nobody is asked for in these, and no command's sender is a contact."""

_NAMES = [*INCIDENT_COMMANDS, *CHANGE_COMMANDS, "change_progress", "release", "no-such-command"]


class Said(NamedTuple):
    to: str
    name: str
    inputs: list[Input]
    by_update: bool


_SAID = st.one_of(
    st.builds(
        Said,
        st.sampled_from(["incident", "change", "follow-up", "key", "drill"]),
        st.sampled_from(_NAMES),
        st.lists(INPUTS, min_size=0, max_size=3) | st.lists(INPUTS, min_size=1, max_size=1),
        st.booleans(),
    ),
    st.builds(Said, st.just("incident"), st.just("alert"), st.lists(INPUTS, max_size=2), st.just(value=False)),
    st.builds(
        Said,
        st.just("change"),
        st.sampled_from(["commander_is", "evidence_begun", "tell_by_signal"]),
        st.lists(INPUTS, max_size=2),
        st.just(value=False),
    ),
)


class Stage:
    """An incident with a change that waits for votes, work that another has left, a key and a drill."""

    def __init__(self, client: Client, world: World) -> None:
        self.client = client
        self.world = world
        self.refused = dict.fromkeys(["incident", "change", "follow-up", "key", "drill"], 0)
        self.notes = 0
        self.updates = asyncio.Semaphore(8)  # the server takes ten at once

    async def set_up(self) -> None:
        now, short = datetime.now(UTC), {"history_limit": 150}
        self.left = await Told.start(self.client, declaration(incident_id="inc-left", declared_at=now, **short))
        for name, given_with in (
            ("acknowledge", {}),
            ("mitigated", {"summary": "m"}),
            ("resolve", {"summary": "r"}),
            ("complete_task", {"step": "assess"}),
            ("complete_task", {"step": "review"}),
            ("close", {}),
        ):
            await self.left.do(name, **given_with)
        await self.left.handle.result()
        self.told = await Told.start(self.client, declaration(incident_id="inc-open", declared_at=now, **short))
        await self.told.do("acknowledge")
        change = await ask(self.told)
        self.world.drills.live = ["inc-open"]
        run, hold = DrillRun(environment="sandbox", days=1), KeyHold(incident_id="inc-open")
        queue = ids.INCIDENTS_QUEUE
        self.ids = {
            "incident": "inc-open",
            "change": change["workflow_id"],
            "follow-up": ids.follow_up_workflow_id("inc-left"),
            "key": (await self.client.start_workflow("IncidentKey", hold, id="key/1", task_queue=queue)).id,
            "drill": (await self.client.start_workflow("Drill", run, id="drill/1", task_queue=queue)).id,
        }

    def handle(self, to: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(self.ids[to])

    async def say(self, said: list[Said]) -> None:
        """Say all of it at once, with a true note among it."""
        notes = range(self.notes, self.notes + 2)
        self.notes += len(notes)
        await asyncio.gather(
            *(self._say(one) for one in said), *(self.told.do("note", text=f"note {one}") for one in notes)
        )
        for to, question in (("incident", "timeline"), ("change", "state"), ("follow-up", "state"), ("key", "state")):
            await Told(self.client, self.handle(to)).ask(question)

    async def _say(self, one: Said) -> None:
        payloads = [
            RawValue(Payload(metadata={"encoding": encoding} if encoding else {}, data=data))
            for encoding, data in one.inputs
        ]
        if not one.by_update:
            await self.handle(one.to).signal(one.name, args=payloads)
            self.refused[one.to] += not _is_done(one)
            return
        while True:
            try:
                async with self.updates:
                    await self.handle(one.to).execute_update(one.name, args=payloads)
            except WorkflowUpdateFailedError as error:
                if isinstance(error.cause, ApplicationError) and error.cause.type == "Refused":
                    return
                raise
            except RPCError as error:
                if error.status is not RPCStatusCode.FAILED_PRECONDITION:  # just carrying on as a new run
                    raise
            else:
                pytest.fail(f"{one} was done")

    async def account(self) -> None:
        """End it all, and find every message on record."""
        assert await failed_tasks(self.client, *self.ids.values()) == []
        assert len(await lengths(self.client, self.ids["incident"])) > 1
        assert (await self.handle("key").query("state"))["refused"] == self.refused["key"]
        assert (await self.handle("drill").query("state"))["refused"] == self.refused["drill"]
        await self.told.do("false_alarm", reason="enough")
        await self.told.handle.result()
        await self.handle("follow-up").execute_update("complete_task", {"by": "devops-lead", "step": "training"})
        await self.handle("follow-up").result()
        assert await failed_tasks(self.client, *self.ids.values()) == []
        record = [one.model_dump(mode="json") for one in self.world.ledger]
        entries = [one for one in record if one["seq"] > 0]
        assert self._refusals(entries) == self.refused["incident"] + self.refused["change"]
        assert self._refusals([one.model_dump(mode="json") for one in self.world.followed]) == self.refused["follow-up"]
        assert sum(one["kind"] == "note" for one in entries) == self.notes

    def _refusals(self, entries: list[dict[str, Any]]) -> int:
        refused = (one["data"]["command"] for one in entries if one["kind"] == "refused")
        told = (name for one in entries if one["kind"] == "refusals-counted" for name in one["data"]["counts"])
        return sum(counted(entries, name) for name in {*refused, *told})


def _is_done(one: Said) -> bool:
    model = _DONE.get(one.name)
    if model is None or (one.name != "alert" and len(one.inputs) != 1):  # ours always say one thing
        return False
    try:
        read(model, one.inputs)
    except UnreadableError:
        return False
    return True


@pytest.fixture
def stage() -> Iterator[tuple[asyncio.Runner, Stage]]:
    """A stage with its workers, in a loop of its own: what is made up is said from outside of it."""
    world = World()
    with conftest.development_server() as address, asyncio.Runner() as runner:
        client = runner.run(conftest._namespace(address)).client
        serving = world.workers(client)
        runner.run(serving.__aenter__())
        made = Stage(client, world)
        runner.run(made.set_up())
        yield runner, made
        runner.run(serving.__aexit__(None, None, None))


_USUAL = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)


@settings(_USUAL, max_examples=12)
@given(said=st.lists(_SAID, min_size=25, max_size=25))
def _say_some(runner: asyncio.Runner, stage: Stage, said: list[Said]) -> None:
    runner.run(stage.say(said))


@settings(_USUAL, max_examples=200)
@given(said=st.lists(_SAID, min_size=100, max_size=100))
def _say_much(runner: asyncio.Runner, stage: Stage, said: list[Said]) -> None:
    runner.run(stage.say(said))


def test_hundreds_of_messages(stage: tuple[asyncio.Runner, Stage]) -> None:
    """Three hundred made-up messages to five workflows."""
    runner, made = stage
    _say_some(runner, made)
    runner.run(made.account())


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_twenty_thousand_messages(stage: tuple[asyncio.Runner, Stage]) -> None:
    """The same of twenty thousand."""
    runner, made = stage
    _say_much(runner, made)
    runner.run(made.account())
