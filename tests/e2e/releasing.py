"""Releases in tests: other code in a folder of its own, and what `incident deploy` and histories say of builds."""

import json
import shutil
import subprocess
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tests.e2e.house import Document, House
from tests.forked import ROOT, forked
from tests.rooms import ROOMS
from tests.waiting import until

LOOP = "        while True:\n            self._incident.pass_time(workflow.now())\n"


def released(folder: Path, name: str, before: str) -> Path:
    """A copy of the code whose incidents do something more before they do anything else."""
    root = folder / name
    for part in ROOMS:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "tests").mkdir()
    for module in ("__init__.py", "forks.py"):
        shutil.copy(ROOT / "tests" / module, root / "tests" / module)
    file = root / "workflows" / "incident.py"
    text = file.read_text()
    assert text.count(LOOP) == 1
    file.write_text(text.replace(LOOP, f"        {before}\n{LOOP}"))
    return root


def deploy(house: House, root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`incident deploy`, as the release in `root` has it."""
    [done] = forked(root).run(("deploy", *arguments, "--json"), house.environment, house.cwd)
    return done


def status(house: House, build: str) -> Document:
    found: list[Document] = json.loads(deploy(house, ROOT, "status").stdout)
    return next(one for one in found if one["build"] == build)


def promote(house: House, build: str, root: Path) -> None:
    """Make it the build on which incidents begin, once the server knows that its worker serves every queue."""

    def serves(one: Document) -> bool:
        return bool(one["build"] == build and not one["not_polled"])

    until(lambda: any(map(serves, json.loads(deploy(house, ROOT, "status").stdout))), f"{build} serves every queue")
    done = deploy(house, root, "promote", build)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["current"] == build


def histories(house: House, incident: str) -> dict[str, WorkflowHistory]:
    """The history of every run of an incident and of its changes, by run id."""
    client = house.asking.client

    async def read() -> dict[str, WorkflowHistory]:
        query = f"WorkflowId = '{incident}' OR WorkflowId STARTS_WITH '{incident}/'"
        return {
            str(one.run_id): await client.get_workflow_handle(one.id, run_id=one.run_id).fetch_history()
            async for one in client.list_workflows(query)
        }

    return house.asking.run(read())


def failed(event: HistoryEvent) -> bool:
    """Whether a workflow task failed; not that the machine was too busy for it to have its two seconds of CPU."""
    why = event.workflow_task_failed_event_attributes.failure.application_failure_info.type
    return event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED and why != "_DeadlockError"


def builds_of(house: House, incident: str) -> set[str]:
    """The builds that did the tasks of an incident and its changes, of which none may have failed."""
    found = set()
    for history in histories(house, incident).values():
        assert not [one for one in history.events if failed(one)], incident
        found |= {
            one.workflow_task_completed_event_attributes.deployment_version.build_id
            for one in history.events
            if one.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        }
    return found


def finish(house: House, incident: str) -> None:
    """Call an incident off."""
    house.run("false-alarm", incident, "--reason", "tried")
    house.ended(incident)
