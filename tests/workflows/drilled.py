"""What drills ask of the world, for workflow tests: faults are written down; what is live is told."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.model.declaration import Declaration
from domain.model.drill import FaultCall, PrepareCall
from domain.values.errors import ErrorKind
from tests.drills import drill, opening

BENIGN = ApplicationErrorCategory.BENIGN


class Drilled:
    """`done` is what was injected and withdrawn; `live` are the incidents that are open beside.

    Nothing is withdrawn before `may_withdraw`.
    """

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.live: list[str] = []
        self.broken: set[str] = set()
        self.scenario: dict[str, Any] = {}
        self.prepared: list[PrepareCall] = []
        self.opens: str | None = None
        self.may_withdraw = asyncio.Event()
        self.may_withdraw.set()

    def activities(self) -> list[Callable[..., Any]]:
        @activity.defn(name="drills.prepare")
        async def prepare(call: PrepareCall) -> Declaration:
            if "prepare" in self.broken:
                raise ApplicationError("production", type="Refused", non_retryable=True)
            self.prepared.append(call)
            made = drill(call.now, call.run.speed, **self.scenario)
            return made if self.opens is None else opening(made, self.opens)

        @activity.defn(name="drills.live")
        async def live() -> list[str]:
            return self.live

        @activity.defn(name="drills.watch")
        async def watch() -> str:
            if self.live:
                return self.live[0]
            soon = timedelta(milliseconds=50)
            raise ApplicationError("nothing", type=ErrorKind.NOT_YET.value, next_retry_delay=soon, category=BENIGN)

        @activity.defn(name="drills.inject")
        async def inject(call: FaultCall) -> None:
            self._fault("inject", call)

        @activity.defn(name="drills.withdraw")
        async def withdraw(call: FaultCall) -> None:
            await self.may_withdraw.wait()
            self._fault("withdraw", call)

        return [prepare, live, watch, inject, withdraw]

    def _fault(self, do: str, call: FaultCall) -> None:
        if do in self.broken:
            raise ApplicationError("denied", type="AccessDenied", non_retryable=True)
        self.done.append((do, call.id))
