"""One process that serves task queues until it is told to stop."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache, partial

import boto3
import structlog
from temporalio.client import Client, Interceptor
from temporalio.worker import Worker

from activities.action import Clients
from activities.aws.shared.bearers import Bearer
from activities.aws.shared.clients import AwsClients, assumed_session, own_session
from activities.channels.paging import Pager
from activities.permissions.reading import reading_policy
from activities.permissions.roles import WORKER, queue_of
from activities.proofs import checker
from activities.registry import Activity, activities
from activities.statuspage_client import StatusPageClient
from activities.watching.watcher import Watcher
from domain.values.ids import DIAGNOSE_QUEUE, FORENSICS_QUEUE, INCIDENTS_QUEUE, NOTIFY_QUEUE, task_queue
from starters.files.problems import InvalidFile
from starters.files.shipped import shipped_folder
from worker import builds, folder_activities
from worker.connect import connect, is_polled, register_search_attributes
from worker.encryption import codec_of, refuse_in_the_clear
from worker.errors import SettingsError
from worker.folder import Folder
from worker.heartbeat import beat
from worker.runner import runner
from worker.sealed_input import RefusesUnsealed
from worker.settings import Settings
from worker.telemetry import runtime
from worker.watching import watching
from workflows.builds import code
from workflows.catalogue import WORKFLOWS

_STICKY_TIMEOUT = timedelta(seconds=1)  # a killed worker's incidents wake elsewhere after this
_EAGER_ACTIVITIES = 10
_WORKFLOW_TASKS = 4  # they take CPU alone: what waits does so on the server, which knows priorities, and not in here
_READY_SECONDS = 10.0
_LOOK_SECONDS = 0.02
_BEAT = timedelta(seconds=1)  # as activities beat; by itself the SDK waits for 4 of the 5 s that they have
_LAST_CALL = timedelta(seconds=10)  # after the grace: for the cut activities to report that they were
_log = structlog.get_logger(__name__)


async def serve(
    settings: Settings, interceptors: list[Interceptor], on_ready: Callable[[list[str]], None] | None = None
) -> None:
    """Serve the queues until SIGTERM or SIGINT, then drain: running activities have the settings' grace to end.

    `on_ready` is told the queues that are polled by then.

    Raises a `StartError` that says what is wrong when it cannot start, later on whatever a worker died of.
    """
    clients = _clients_for(settings)
    folder = _folder(settings)
    todo = _activities(settings, folder, clients)
    stop = _stop_on_signals()
    codec = await codec_of(settings.codec_key, clients(WORKER)) if settings.codec_key else None
    client = await connect(interceptors, runtime(settings.metrics_address), codec)
    await builds.admit(client, settings.environment, settings.build_id)
    if INCIDENTS_QUEUE in settings.queues:
        await register_search_attributes(client)
    served = [queue for queue in settings.queues if queue == INCIDENTS_QUEUE or todo.get(queue)]
    workers = [build_worker(client, queue, settings, todo.get(queue, [])) for queue in served]
    async with _running(workers, settings.shutdown_grace) as running:
        await _polled(client, workers, running.ends)
        if settings.build_id is not None:
            await builds.announce(client, settings.environment, settings.build_id)
        known = {"environment": settings.environment, "build": settings.build_id, "namespace": client.namespace}
        _log.info("worker ready", queues=served, **known)
        if on_ready is not None:
            on_ready(served)
        stopping = asyncio.create_task(stop.wait())
        async with _beating(client, clients, served, settings), _watching(client, clients, folder, served):
            await asyncio.wait([stopping, *running.ends], return_when=asyncio.FIRST_COMPLETED)
            _log.info("worker stopping", grace_seconds=settings.shutdown_grace.total_seconds())
            running.drain()  # before the watch ends, which may take a while: no new work is taken meanwhile


def _folder(settings: Settings) -> Folder:
    """The files that it acts by; those of workflows say whose keys prove who they are."""
    try:
        folder = Folder(settings.runbooks or shipped_folder(), settings.environment)
    except InvalidFile as error:
        raise SettingsError(f"INCIDENT_RUNBOOKS and INCIDENT_ENVIRONMENT: {error}") from error
    refuse_in_the_clear(settings.codec_key, folder.environment())
    return folder


def _activities(settings: Settings, folder: Folder, clients: Callable[[str], Clients]) -> dict[str, list[Activity]]:
    """What the settings' queues are to do."""
    status_page = StatusPageClient(settings.statuspage_url, settings.statuspage_api_key.get_secret_value())
    todo = activities(clients, status_page, folder, settings.queues)
    if INCIDENTS_QUEUE in settings.queues:
        todo[INCIDENTS_QUEUE] = [checker(folder)]
    if DIAGNOSE_QUEUE in todo:
        todo[DIAGNOSE_QUEUE] += folder_activities.of_diagnose(folder, clients, status_page)
    if FORENSICS_QUEUE in todo:
        todo[FORENSICS_QUEUE] += folder_activities.of_forensics(folder, clients)
    if not todo:
        raise SettingsError(f"INCIDENT_QUEUES: no action runs on {', '.join(settings.queues)} yet")
    return todo


def _clients_for(settings: Settings) -> Callable[[str], Clients]:
    """Give a role's clients. Roles without an ARN of their own share one set: making a set takes long."""
    session = partial(own_session, settings.aws_region)

    @cache
    def acting(role: str, arn: str | None) -> Clients:
        base = session()  # one for each role: a session makes its clients for one thread at a time
        region = base.region_name
        if region is None:
            raise SettingsError("AWS_REGION: the queues served need a region, and none is configured")
        if arn is None:
            return AwsClients(base, region)
        if base.get_credentials() is None:
            raise SettingsError(f"INCIDENT_ROLE_ARNS: there are no AWS credentials to assume {arn} with")

        def borne(one: Bearer) -> boto3.Session:
            asked = one.asked | ({"Policy": reading_policy(role)} if one.reads else {})
            return assumed_session(session(), arn, one.name, region, asked)

        return AwsClients(borne(Bearer(f"incident-{role}")), region, borne)

    def clients(role: str) -> Clients:
        for name in (role, queue_of(role)):
            if arn := settings.role_arns.get(name):
                return acting(name, arn)
        return acting(WORKER, None)

    return clients


def build_worker(client: Client, queue: str, settings: Settings, todo: Sequence[Activity]) -> Worker:
    """Build one queue's worker in its environment: the workflows on theirs, activities on the others."""
    workflows = WORKFLOWS if queue == INCIDENTS_QUEUE else ()
    return Worker(
        client,
        task_queue=task_queue(settings.environment, queue),
        workflows=workflows,
        activities=todo,
        no_remote_activities=bool(workflows),  # those of workflows are local
        activity_executor=ThreadPoolExecutor(settings.max_concurrent_activities, queue) if todo else None,
        max_concurrent_activities=settings.max_concurrent_activities if todo else None,
        max_concurrent_workflow_tasks=_WORKFLOW_TASKS if workflows else None,
        deployment_config=builds.config(settings.environment, settings.build_id),
        build_id=None if settings.build_id else code(),  # else the SDK reads the bytecode of all that is loaded
        workflow_runner=runner(share_workflows=True, sealed=client.data_converter.payload_codec is not None),
        interceptors=[RefusesUnsealed()],
        max_cached_workflows=settings.max_cached_workflows,
        max_eager_activity_reservations_per_workflow_task=_EAGER_ACTIVITIES,
        max_heartbeat_throttle_interval=_BEAT,
        sticky_queue_schedule_to_start_timeout=_STICKY_TIMEOUT,
        graceful_shutdown_timeout=settings.shutdown_grace,
    )


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


class _Running:
    """Workers at work; `ends` are done once they have died or been drained."""

    def __init__(self, workers: Sequence[Worker], grace: timedelta) -> None:
        self.ends = [asyncio.create_task(worker.run()) for worker in workers]
        self._workers = workers
        self._within = (grace + _LAST_CALL).total_seconds()
        self._drained: asyncio.Task[None] | None = None

    def drain(self) -> "asyncio.Task[None]":
        """Take no new work from now on; once more does nothing. The task raises what a worker died of."""
        if self._drained is None:
            self._drained = asyncio.create_task(self._drain())
        return self._drained

    async def _drain(self) -> None:
        ends = asyncio.gather(*(worker.shutdown() for worker in self._workers), *self.ends)
        try:
            await asyncio.wait_for(ends, self._within)
        except TimeoutError:
            _log.warning("activities left running: they do not end when told to")


@asynccontextmanager
async def _running(workers: Sequence[Worker], grace: timedelta) -> AsyncIterator[_Running]:
    """Run the workers; on the way out drain all of them, and raise what one of them died of.

    What hangs for long after the grace is left behind: its heartbeat ends with the process, and it is taken up anew.
    """
    running = _Running(workers, grace)
    try:
        yield running
    finally:
        await running.drain()


@asynccontextmanager
async def _beating(
    client: Client, clients: Callable[[str], Clients], served: list[str], settings: Settings
) -> AsyncIterator[None]:
    """Give signs of life meanwhile, where the queue of pages is served and a namespace is set."""
    namespace, queue = settings.heartbeat_namespace, task_queue(settings.environment, NOTIFY_QUEUE)
    if namespace is None or NOTIFY_QUEUE not in served:
        yield
        return
    beating = asyncio.create_task(beat(client, clients(NOTIFY_QUEUE), namespace, queue))
    try:
        yield
    finally:
        beating.cancel()


@asynccontextmanager
async def _watching(
    client: Client, clients: Callable[[str], Clients], folder: Folder, served: list[str]
) -> AsyncIterator[None]:
    """Watch over open incidents meanwhile, where the queue of pages is served."""
    if NOTIFY_QUEUE not in served:
        yield
        return
    acting = clients(NOTIFY_QUEUE)
    async with watching(client, Watcher(acting, folder, Pager(acting))):
        yield


async def _polled(client: Client, workers: Sequence[Worker], died: Sequence["asyncio.Task[None]"]) -> None:
    """Wait until the server sees every queue polled by us, or a worker has died."""
    deadline = asyncio.get_running_loop().time() + _READY_SECONDS
    for worker in workers:
        while not await is_polled(client, worker.task_queue) and not any(task.done() for task in died):
            if asyncio.get_running_loop().time() > deadline:
                _log.warning("the server does not show us polling yet", queue=worker.task_queue)
                return
            await asyncio.sleep(_LOOK_SECONDS)
