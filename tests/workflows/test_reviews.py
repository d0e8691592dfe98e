"""What was grave has its runbook reviewed once it is closed: upkeep, opened once, over with its owner's signature."""

from datetime import UTC, datetime

from temporalio.testing import WorkflowEnvironment

from domain.config.reviews import REVIEW
from domain.values.severity import Severity
from tests.builders import declaration, organisation
from tests.workflows.told import Told
from tests.workflows.world import World


async def closed(env: WorkflowEnvironment, number: int) -> Told:
    """An outage of an organisation that reviews after a P0; it is over."""
    policies = organisation().severities
    grave = {Severity.P0: policies[Severity.P0].model_copy(update={"review": True})}
    people = organisation().model_copy(update={"severities": {**policies, **grave}})
    now = datetime.now(UTC)
    told = await Told.start(
        env.client, declaration(incident_id=f"inc-20261123-aaa{number}", declared_at=now, organisation=people)
    )
    await told.do("acknowledge")
    for step in ("mitigated", "resolve"):
        await told.do(step, summary="done")
    for step in ("assess", "review"):
        await told.do("complete_task", step=step)
    await told.do("close")
    await told.handle.result()
    return told


async def test_the_review_opens_once_the_incident_is_closed(server: WorkflowEnvironment, world: World) -> None:
    """It looks, pages nobody and ends with the task; the second outage meanwhile finds it open."""
    async with world.workers(server.client):
        first = await closed(server, 1)
        (link,) = (await first.state())["links"]
        review = Told(server.client, server.client.get_workflow_handle(link["incident"]))
        found = await review.until(lambda state: len(state["findings"]) == 1)
        second = await closed(server, 2)
        (held,) = (await second.state())["links"]
        await review.do("complete_task", by="devops-lead", step="review-system-outage", note="fit for use")
        await review.handle.result()
        ended = await review.state()
    assert (link["type"], link["key"], link["held"]) == (REVIEW, "review:system-outage", False)
    assert (held["incident"], held["held"]) == (None, True)
    assert (found["mode"], found["status"], found["findings"][0]["step"]) == (
        "upkeep",
        "declared",
        "look-system-outage",
    )
    assert (ended["status"], ended["pages"]) == ("closed", [])
