"""A worker in a process of its own, as a service manager would run it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

COMMAND = (sys.executable, "-c", "from worker.command import worker; worker()")
WAIT_SECONDS = 60


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would reach a worker, and with `variables`."""
    prefixes = ("INCIDENT_", "TEMPORAL_", "AWS_", "STATUSPAGE_", "OTEL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    aws = {"AWS_REGION": "ap-southeast-2", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    return kept | aws | variables


@asynccontextmanager
async def worker_process(*arguments: str, **variables: str) -> AsyncIterator["WorkerProcess"]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        env=environment(**variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield WorkerProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class WorkerProcess:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def event(self, name: str) -> dict[str, Any]:
        """Read the log up to the event of that name, and return it."""
        seen = []
        async with asyncio.timeout(WAIT_SECONDS):
            assert self.process.stderr is not None
            async for line in self.process.stderr:
                seen.append(line.decode())
                if line.startswith(b"{") and (event := json.loads(line))["event"] == name:
                    return dict(event)
        raise AssertionError(f"no event {name!r} in {''.join(seen)}")

    async def ended(self) -> tuple[int, str, str]:
        """Wait for the end: exit status, stdout, stderr."""
        async with asyncio.timeout(WAIT_SECONDS):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), err.decode()
