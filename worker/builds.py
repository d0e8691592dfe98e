"""A worker's build: refused before it polls where it could do harm, known to the server once it does."""

import asyncio

import structlog
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import WorkerDeploymentConfig

from worker.errors import SettingsError
from workflows import builds

_KNOWN_SECONDS = 10.0
_LOOK_SECONDS = 0.05
_log = structlog.get_logger(__name__)


def config(environment: str, build: str | None) -> WorkerDeploymentConfig | None:
    """How a worker takes part: whatever begins on its build stays there until it ends or is moved."""
    if build is None:
        return None
    return WorkerDeploymentConfig(
        WorkerDeploymentVersion(builds.deployment_name(environment), build),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def admit(client: Client, environment: str, build: str | None) -> None:
    """Raise `SettingsError` for a worker that would get no work, or work that its code cannot replay."""
    if build is None:
        if current := await builds.current(client, environment):
            raise SettingsError(
                f"INCIDENT_BUILD_ID: build {current} is current here, so that a worker without a build gets no work"
            )
    elif await builds.code_of(client, environment, build) not in {None, builds.code()}:
        raise SettingsError(
            f"INCIDENT_BUILD_ID: {build} is a build whose workflows have other code: give this one an id of its own"
        )


async def announce(client: Client, environment: str, build: str) -> None:
    """Say of which code the build is; the first of an environment makes itself current once all its queues are polled.

    Not where workers without a build poll: their incidents would go on with this code, which nobody has checked.
    """
    await _keep_code(client, environment, build)
    if await builds.current(client, environment) is not None:
        return
    polled = await builds.all_polled(client, environment)
    if any(one.pollers.get(None) for one in polled.values()):
        _log.warning("nothing begins on this build before it is promoted", build=build)
    elif all(one.pollers.get(build) for one in polled.values()):
        await builds.promote(client, environment, build)
        _log.info("first build of this environment: new incidents begin on it", build=build)


async def _keep_code(client: Client, environment: str, build: str) -> None:
    """The server may know a build a moment later than it shows us polling."""
    deadline = asyncio.get_running_loop().time() + _KNOWN_SECONDS
    while True:
        try:
            return await builds.keep_code(client, environment, build)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND or asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(_LOOK_SECONDS)
