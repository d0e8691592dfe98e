"""Workers of two environments on one namespace: each is given its own work, and no other."""

from datetime import UTC, datetime

from temporalio.testing import WorkflowEnvironment

from domain.model.declaration import Declaration
from domain.values import ids
from starters.client import start_once
from tests.builders import declaration
from tests.workflows.asking import approve, ask
from tests.workflows.told import Told
from tests.workflows.world import World


def declared(environment: str) -> Declaration:
    plain = declaration(declared_at=datetime.now(UTC), key=f"alarm-{environment}")
    return plain.model_copy(update={"environment": plain.environment.model_copy(update={"name": environment})})


async def begun(server: WorkflowEnvironment, made: Declaration) -> Told:
    """An incident as the command starts it."""
    document = made.model_dump(mode="json", by_alias=True)
    started = await start_once.start(server.client, document, lambda _: "")
    return Told(server.client, server.client.get_workflow_handle(started.incident, result_type=dict))


async def test_each_environment_does_its_own_work(server: WorkflowEnvironment) -> None:
    """Probes, pages, plans, changes, the record and the key of staging's incident are served by staging's workers."""
    production, staging = World(), World()
    async with (
        production.workers(server.client, environment="production"),
        staging.workers(server.client, environment="staging"),
    ):
        told = await begun(server, declared("staging"))
        await told.do("acknowledge")
        await approve(told, await ask(told))
        await told.change_is("rollback", "applied")
        await told.do("false_alarm", reason="seen enough")
        await told.handle.result()
        key = server.client.get_workflow_handle(ids.key_workflow_id("staging", "alarm-staging"))
        await key.result()
        queues = {(await one.describe()).task_queue for one in (told.handle, told.change("rollback"), key)}
    assert queues == {"staging-incidents"}
    assert (len(staging.acted), bool(staging.pages), bool(staging.ledger)) == (1, True, True)
    assert (production.acted, production.pages, production.ledger, production.reports) == ([], [], [], [])


async def test_what_an_environment_asks_waits_for_its_own_workers(server: WorkflowEnvironment) -> None:
    """Production's workers leave it alone, however long staging has none."""
    production, staging = World(), World()
    async with production.workers(server.client, environment="production"):
        waiting = await begun(server, declared("staging"))
        other = await begun(server, declared("production"))
        await other.until(lambda state: len(state["findings"]) == 2)
        described = await waiting.handle.describe()
        assert described.history_length == 2  # started, and a task that nobody has taken
        await other.do("false_alarm", reason="seen enough")
        await other.handle.result()
    pages = len(production.pages)
    async with staging.workers(server.client, environment="staging"):
        await waiting.until(lambda state: len(state["findings"]) == 2)
        await waiting.do("false_alarm", reason="seen enough")
        await waiting.handle.result()
    assert (bool(staging.pages), len(production.pages)) == (True, pages)
