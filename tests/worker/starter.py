"""A starter in a process of its own: starts one incident, traced, and exits. Arguments: address, probe's action."""

import asyncio
import sys

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from domain.rules.run import IncidentRun
from domain.values.ids import task_queue
from starters.files.organisation_folder import load_environment
from starters.files.shipped import shipped_folder
from tests.builders import declaration, runbook
from worker.command import leave
from workflows import tracing


async def start(address: str, probe: str) -> None:
    steps = [{"id": "look", "probe": probe, "title": "Look", "with": {"service": "backend"}}]
    book = runbook(phases=[{"id": "immediate", "title": "Immediate", "steps": steps}])
    client = await Client.connect(
        address, data_converter=pydantic_data_converter, interceptors=tracing.interceptors("incident-starter")
    )
    declared = declaration(runbook=book, environment=load_environment(shipped_folder(), "sandbox"))
    run = IncidentRun(declaration=declared)
    await client.start_workflow("Incident", run, id=declared.incident_id, task_queue=task_queue("sandbox"))


if __name__ == "__main__":
    asyncio.run(start(*sys.argv[1:]))
    tracing.flush()
    leave(0)
