"""The watcher as a loop in every worker that serves the queue of pages: one of them looks, the others stand by.

Looking and paging use nothing of Temporal's; only going on with an incident does, where the environment's file says so.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from secrets import token_hex

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.ledger.store_time import ClockError
from activities.watching.watcher import Watcher
from domain.model.silence import Found
from domain.rules.run import RestoreRequest
from domain.values import ids
from domain.values.timestamps import stamp_to_second

_EVERY = timedelta(seconds=30)
"""Between two looks, and before the first: an incident whose workers were away catches up meanwhile."""
_LAST_CALL = timedelta(seconds=20)
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def watching(client: Client, watcher: Watcher, every: timedelta = _EVERY) -> AsyncIterator[None]:
    """Watch meanwhile. On the way out what is being done is done, and another may watch at once."""
    stopping = asyncio.Event()
    task = asyncio.create_task(_watch(client, watcher, stopping, every))
    try:
        yield
    finally:
        stopping.set()
        watcher.stopped.set()
        await asyncio.wait([task], timeout=_LAST_CALL.total_seconds())
        task.cancel()


async def _watch(client: Client, watcher: Watcher, stopping: asyncio.Event, every: timedelta) -> None:
    trouble, restores = False, _Restores(client, watcher)
    while not await _is_set(stopping, every):
        try:
            found = await asyncio.to_thread(_look, watcher, after_trouble=trouble)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look tries again
            trouble = True
            problem = str(error) if isinstance(error, ClockError) else type(error).__name__
            _log.error("open incidents cannot be looked at", problem=problem)
        else:
            trouble = False
            for one in found:
                await restores.go_on(one)
    try:
        await asyncio.to_thread(watcher.leave)
    except Exception as error:  # noqa: BLE001 - its lease ends by itself
        _log.warning("the watch was not given back", error=type(error).__name__)


def _look(watcher: Watcher, *, after_trouble: bool) -> list[Found]:
    """Look, if it is this one that does. Once the ledger answers again, what waited to be written comes first."""
    return watcher.look() if watcher.is_the_one() and not after_trouble else []


async def _is_set(event: asyncio.Event, within: timedelta) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), within.total_seconds())
    return event.is_set()


class _Restores:
    """Has silent incidents restored, once for each silence, where the environment says so.

    What runs is left alone by that, and what the ledger does not prove is refused.
    """

    def __init__(self, client: Client, watcher: Watcher) -> None:
        self._client = client
        self._watcher = watcher
        self._begun: set[str] = set()
        self._instead: dict[str, str] = {}

    async def go_on(self, found: Found) -> None:
        """Begin a workflow that restores it, unless this or another watcher has."""
        if not (self._watcher.environment.restore_silent and found.can_go_on):
            return
        try:
            await self._begin(found)
        except Exception as error:  # noqa: BLE001 - people were paged, and the next look tries again
            _log.error("a silent incident was not restored", incident=found.incident, error=type(error).__name__)

    async def _begin(self, found: Found) -> None:
        """All watchers begin it under one name, which anybody can guess; the next one is drawn where that is taken."""
        usual = ids.restore_workflow_id(f"{found.incident}/{stamp_to_second(found.due_at)}")
        name = self._instead.get(usual, usual)
        try:
            await self._client.start_workflow(
                "Restore",
                RestoreRequest(incident=found.incident),
                id=name,
                task_queue=ids.task_queue(self._watcher.environment.name),
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )
        except WorkflowAlreadyStartedError:
            if name in self._begun or await asyncio.to_thread(self._watcher.restoring, found) is not None:
                return
            self._instead[usual] = f"{usual}/{token_hex(8)}"
            _log.warning("the name of a restore is taken: the next look takes another", workflow=name)
            return
        self._begun.add(name)
        _log.warning("a silent incident is restored", incident=found.incident, workflow=name)
        await asyncio.to_thread(self._watcher.note_restore, found, name)
