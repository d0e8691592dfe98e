"""Upkeep by schedules on a whole sandbox: contacts who answer codes and one who does not; what has gone."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from domain.model.scheduled import ScheduledRun
from domain.values import ids
from starters.client.schedule_rows import WORKFLOW
from tests.e2e.house import Document, House
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e")]

SPEED = 4320  # three days are a minute
SILENT = "cto"
CODE = re.compile(r"contact confirm (\S+)")


def begun(house: House, declares: str, number: int, **more: Any) -> tuple[WorkflowHandle[Any, Any], str]:
    """A run as a schedule of Temporal's starts it, and the incident that it declares."""
    run = ScheduledRun(schedule=declares, environment="sandbox", declares=declares, **more)
    workflow = f"{ids.scheduled_workflow_id('sandbox', declares)}-{number}"
    client = house.asking.client
    started = client.start_workflow(WORKFLOW, run, id=workflow, task_queue=ids.task_queue("sandbox"))
    handle: WorkflowHandle[Any, Any] = house.asking.run(started)

    def child() -> str | None:
        described = house.asking.run(handle.describe())
        found = [one.workflow_id for one in described.raw_description.pending_children if one.run_id]
        return next((one for one in found if one.startswith("inc-")), None)

    return handle, until(child, f"{workflow} declares its incident")


def code_to(house: House, incident: str, address: str) -> str:
    """The code that came last to an address."""
    codes = [found for one in house.outbox(incident) if one["to"] == address for found in CODE.findall(one["body"])]
    return str(codes[-1])


def history(house: House, workflow: str) -> str:
    """All that Temporal keeps of a workflow."""

    async def fetch() -> str:
        return (await house.asking.client.get_workflow_handle(workflow).fetch_history()).to_json()

    return house.asking.run(fetch())


def test_who_does_not_answer_is_an_incident_of_their_own(house: House, worker: Worker) -> None:
    """Codes go to every channel, though a worker is killed on the way; all say theirs but one, who becomes a P3."""
    handle, incident = begun(house, "contact-validation", 1, speed=SPEED)
    until(lambda: house.outbox(incident), "a first code is out")
    worker.kill()
    worker.end()
    worker.start()
    asked = house.until(
        incident, "all codes are sent", lambda state: {one["status"] for one in state["notices"]} == {"sent"}
    )
    contacts = [one for one in house.json("contact", "list")["contacts"] if one["channel"]]
    assert len(contacts) == len(asked["notices"])
    wrong = house.call("contact", "confirm", "AAAAA-AAAAA")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
    said = {(one["contact"], one["address"]): code_to(house, incident, one["address"]) for one in contacts}
    for (contact, _), code in said.items():
        if contact != SILENT:
            house.run("contact", "confirm", code, "--as", contact)
    for party in ("insurer", "aws-support"):
        house.run("contact", "confirm", "--for", party, "--note", "rang them")
    state = house.until(incident, "it closes", lambda state: state["status"] == "closed", seconds=120)
    (link,) = state["links"]
    assert (link["key"], link["title"]) == ("contact:cto", "cto does not answer")
    opened = house.show(link["incident"])
    assert (opened["severity"], opened["type"], opened["mode"]) == ("P3", "maintenance", "live")
    assert "cto says the code that came by mail: nobody has done it" in opened["description"]
    assert "- Levels of the chain: 2" in opened["description"]
    assert state["pages"] == []
    assert house.asking.run(handle.result())["incident"] == incident
    kept = history(house, incident) + json.dumps(house.timeline(incident))
    unsaid = next(code for (contact, _), code in said.items() if contact == SILENT)
    assert unsaid not in kept
    assert unsaid not in worker.log
    assert not [code for code in said.values() if code in json.dumps(house.timeline(incident))]
    rows = {(one["contact"], one["channel"]): one for one in house.json("contact", "list")["contacts"]}
    assert rows["devops-lead", "sms"]["how"] == "said the code that was sent"
    assert (rows["cto", "email"]["confirmed_at"], bool(rows["cto", "email"]["missed_at"])) == (None, True)


def test_what_has_gone_is_opened_once_with_its_line(house: House, worker: Worker) -> None:
    """A log group that no other test reads is deleted: a P3 says which line names it; the next night opens nothing."""
    folder = Path(house.variables["INCIDENT_RUNBOOKS"])
    lines = (folder / "environments" / "sandbox.yaml").read_text(encoding="utf-8").splitlines()
    number, group = next(
        (number, line.split(": ")[1])
        for number, line in enumerate(lines, start=1)
        if "log_group: /ecs/axis-imaging-frontend" in line
    )
    assert worker.alive
    key = "drift:sandbox:services.frontend.log_group"
    house.aws("logs").delete_log_group(logGroupName=group)
    try:
        links: list[Document] = []
        for night in (1, 2):
            handle, incident = begun(house, "drift", night)
            house.asking.run(asyncio.wait_for(handle.result(), 90))
            links += [link for link in house.show(incident)["links"] if link["key"] == key]
    finally:
        house.aws("logs").create_log_group(logGroupName=group)
    assert [link["held"] for link in links] == [False, True]
    opened = house.show(links[0]["incident"])
    assert opened["title"] == "Drift of sandbox: services.frontend.log_group"
    assert opened["description"].startswith(f"environments/sandbox.yaml:{number}: log group missing: ")
