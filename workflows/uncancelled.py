"""What carries an incident is not cancelled: people end it, and nobody else does.

The server passes a request to cancel on once a run. The SDK hands it to whatever the workflow's main task awaits, which
would cut an activity there, and to every condition that was waited for meanwhile. So the main task awaits nothing but
the work, which is a task of its own, and conditions are waited for by `wait_condition` of this module alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from temporalio import workflow


class Refuses(Protocol):
    """A workflow that puts on record that it is not cancelled."""

    async def refuse_cancel(self) -> None:
        """Refuse it; the work goes on meanwhile."""


P = ParamSpec("P")
T = TypeVar("T")
W = TypeVar("W", bound=Refuses)


def uncancelled(
    run: Callable[Concatenate[W, P], Awaitable[T]],
) -> Callable[Concatenate[W, P], Coroutine[Any, Any, T]]:
    """Let a workflow's `run` go on when the workflow is to be cancelled; goes below `workflow.run`."""

    @wraps(run)
    async def through(self: W, *args: P.args, **kwargs: P.kwargs) -> T:
        work = asyncio.ensure_future(run(self, *args, **kwargs))
        refusing: set[asyncio.Task[None]] = set()
        while True:
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                if _is_evicted(work):
                    raise
                task = asyncio.create_task(self.refuse_cancel())
                refusing.add(task)
                task.add_done_callback(refusing.discard)

    return cast("Callable[Concatenate[W, P], Coroutine[Any, Any, T]]", through)


async def wait_condition(
    holds: Callable[[], bool],
    *,
    timeout: timedelta | None = None,  # noqa: ASYNC109 - as the SDK has it
    timeout_summary: str | None = None,
) -> None:
    """Wait until something holds, like `workflow.wait_condition`, whether or not the workflow is to be cancelled.

    Raises `TimeoutError` once the time is over. It ends by a cancellation only where its own task is cancelled.
    """
    try:
        await workflow.wait_condition(holds, timeout=timeout, timeout_summary=timeout_summary)
    except asyncio.CancelledError:
        # the SDK raises it in every condition that was waited for when the request came, once that wait ends
        if _is_evicted(asyncio.current_task()):
            raise
        if timeout is not None and not holds():
            raise TimeoutError from None


def _is_evicted(task: "asyncio.Future[Any] | None") -> bool:
    """Whether a task itself is cancelled: by our own code, or as its worker forgets the workflow."""
    return isinstance(task, asyncio.Task) and (task.cancelled() or task.cancelling() > 0)
