"""A Temporal server, and workers whose activities answer for every action of the catalogue without an AWS."""

import asyncio
import shutil
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from temporalio import activity
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.catalogue import CHANGES, NOTICES, PROBES
from activities.channels.contacts_code import ContactCode
from domain.model.activity_io import (
    AppendCall,
    Appended,
    Applied,
    ApplyRequest,
    FollowCall,
    Noticed,
    NoticeRequest,
    ObserveRequest,
    Paged,
    PageRequest,
    Planned,
    PlanRequest,
    ReleaseRequest,
    ReportCall,
    Reported,
    Verified,
    VerifyRequest,
    Wave,
    WaveRequest,
)
from domain.model.finding import Finding, FindingStatus
from domain.model.plan import Plan
from domain.model.restoring import Restorable, RestorableCall
from domain.values import codes, ids
from domain.values.errors import ErrorKind
from tests.waiting import SERVER_STARTS
from worker import run
from worker.runner import runner
from workflows import search_attributes
from workflows.catalogue import WORKFLOWS

T = TypeVar("T")


def code_of(sequence: int) -> str:
    """The code that a notice of this number sends."""
    return f"AAAAA-{sequence:05}"


def temporal() -> str:
    """The server's binary: beside the interpreter, else on the path."""
    beside = Path(sys.executable).parent / "temporal"
    found = str(beside) if beside.exists() else shutil.which("temporal")
    assert found, "temporal is not installed: install the dev extra"
    return found


async def server() -> WorkflowEnvironment:
    return await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=temporal(),
        dev_server_log_level="error",
        dev_server_startup_timeout=SERVER_STARTS,
        search_attributes=search_attributes.ALL,
        # a closed workflow is deleted once its close is acknowledged, which is written down every 30 s
        dev_server_extra_args=["--dynamic-config-value", 'history.transferProcessorUpdateAckInterval="1s"'],
    )


PLACE = "sandbox"
"""The environment that the workers serve."""


class Backstage:
    """A server and, on demand, workers, on an event loop of their own: the command brings its own loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._env = self.run(server())
        self._workers: list[Worker] = []
        self._running: list[asyncio.Task[None]] = []
        self.applied: list[str] = []
        self.open_ones: list[Restorable] | None = None

    @property
    def client(self) -> Client:
        return self._env.client

    @property
    def address(self) -> str:
        return self._env.client.service_client.config.target_host

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def start_workers(self) -> None:
        self.run(self._start_workers())

    def stop_workers(self) -> None:
        self.run(self._stop_workers())

    def stop(self) -> None:
        self.stop_workers()
        self.run(self._env.shutdown())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _start_workers(self) -> None:
        made = self._activities()
        self._workers = [
            Worker(self.client, task_queue=ids.task_queue(PLACE), workflows=WORKFLOWS, workflow_runner=runner())
        ]
        queues = [ids.task_queue(PLACE, queue) for queue in ids.QUEUES[1:]]
        self._workers += [Worker(self.client, task_queue=queue, activities=made) for queue in queues]
        self._running = [asyncio.create_task(worker.run()) for worker in self._workers]
        await run._polled(self.client, self._workers, self._running)

    async def _stop_workers(self) -> None:
        for worker in self._workers:
            await worker.shutdown()
        await asyncio.gather(*self._running)
        self._workers, self._running = [], []

    def append(self, call: AppendCall) -> Appended:
        """What becomes of entries: they count as written."""
        return Appended(written=call.entries[-1].seq, epoch=call.epoch)

    def _activities(self) -> list[Callable[..., Any]]:
        @activity.defn(name="people.page")
        async def page(call: PageRequest) -> Paged:
            return Paged(channel="sms", reference=call.page_id)

        @activity.defn(name="people.page_wave")
        async def page_wave(call: WaveRequest) -> Wave:
            return Wave(sent=[await page(one) for one in call.pages])

        @activity.defn(name="changes.release")
        async def release(call: ReleaseRequest) -> None:
            assert call.digest or call.given_up

        @activity.defn(name="ledger.append")
        async def append(call: AppendCall) -> Appended:
            return self.append(call)

        @activity.defn(name="ledger.follow")
        async def follow(call: FollowCall) -> None:
            assert call.number

        @activity.defn(name="report.store")
        async def report(call: ReportCall) -> Reported:
            appended = call.last and self.append(call.last)
            return Reported(seq=1, places=(f"reports/{call.incident}",), appended=appended)

        @activity.defn(name="ledger.restorable")
        async def restorable(call: RestorableCall) -> list[Restorable]:
            if self.open_ones is None:
                raise ApplicationError("no record of it", type=ErrorKind.REFUSED.value, non_retryable=True)
            asked = (one for one in self.open_ones if call.incident in {None, one.incident})
            return [one for one in asked if call.key in {None, one.key}]

        made: list[Callable[..., Any]] = [page, page_wave, release, append, follow, report, restorable]
        made += [_probe(name) for name in PROBES]
        made += [_notice(name) for name in NOTICES]
        for name in CHANGES:
            made += self._change(name)
        return made

    def _change(self, name: str) -> list[Callable[..., Any]]:
        @activity.defn(name=f"{name}.plan")
        async def plan(call: PlanRequest) -> Planned:
            made = Plan(
                action=name,
                target="arn:aws:ecs:ap-southeast-2:123456789012:service/axis/backend",
                summary=f"{name} {call.params}",
                before={"state": "bad"},
                after={"state": "good"},
                impact="the [whole] backend",
                approval_class=CHANGES[name].classes[0],
                locks=(f"arn:{name}",),
            )
            return Planned(plan=made.reversed().sealed() if call.undo else made.sealed())

        @activity.defn(name=f"{name}.apply")
        async def apply(call: ApplyRequest) -> Applied:
            self.applied.append(call.step)
            return Applied(outcome="applied")

        @activity.defn(name=f"{name}.verify")
        async def verify(call: VerifyRequest) -> Verified:
            return Verified(message=f"{call.step} is steady")

        return [plan, apply, verify]


def _probe(name: str) -> Callable[..., Any]:
    @activity.defn(name=f"{name}.observe")
    async def observe(call: ObserveRequest) -> Finding:
        suspect = call.step == "recent-deployments"
        return Finding(status=FindingStatus.SUSPECT if suspect else FindingStatus.OK, summary=f"{name} seen")

    return observe


def _notice(name: str) -> Callable[..., Any]:
    @activity.defn(name=f"{name}.send")
    async def send(call: NoticeRequest) -> Noticed:
        digest = codes.digest(code_of(call.sequence), codes.about(call.about.incident, call.sequence))
        return Noticed(reference=call.step, text=f"{name} told", code=digest if name == ContactCode.name else None)

    return send
