"""What is signed for beforehand begins while nobody answers, and who is paged of it is exactly that."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from domain.model.activity_io import Applied, ApplyRequest
from domain.model.preauthorised import PreAuthorised
from domain.values.severity import Severity
from tests.builders import declaration
from tests.preauthorising import carried, terms
from tests.workflows.asking import MANAGER, approve
from tests.workflows.test_breach_rules import breach
from tests.workflows.told import Told
from tests.workflows.world import World

FOUR = ["devops-lead", "development-lead", "security-lead", "technical-manager"]
MINUTE = timedelta(minutes=1)


class Allowing(World):
    """Hands that allow what is signed for beforehand, but what they refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.by: list[tuple[str | None, list[str]]] = []
        self.refuses: str | None = None

    def apply(self, call: ApplyRequest) -> Applied:
        if call.step != "snapshot":
            self.by.append((call.preauthorised, [vote.by for vote in call.votes]))
        if call.preauthorised is not None and self.refuses is not None:
            raise ApplicationError(self.refuses, type="Refused", non_retryable=True)
        return super().apply(call)


@pytest.fixture
def world() -> Allowing:
    return Allowing()


def allowed(now: datetime, **changes: Any) -> PreAuthorised:
    return carried(
        terms(
            since=(now - timedelta(days=1)).replace(microsecond=0),
            until=now.replace(microsecond=0) + timedelta(days=1),
            **changes,
        )
    )


async def begun(env: WorkflowEnvironment, what: dict[str, Any], **fields: Any) -> tuple[Told, PreAuthorised]:
    now = await env.get_current_time()
    one = allowed(now, **what)
    return await Told.start(env.client, declaration(declared_at=now, preauthorisations=(one,), **fields)), one


def pages(state: dict[str, Any]) -> list[tuple[str, str]]:
    return [(page["to"], page["reason"]) for page in state["pages"]]


def told_of(one: PreAuthorised) -> str:
    return f"pre-authorisation {one.terms.digest()[:12]} of cto and compliance-officer"


async def test_it_is_applied_while_nobody_answers(skipping: WorkflowEnvironment, world: Allowing) -> None:
    """Nobody votes; everybody who was paged is paged that it has begun, once, and then as ever until they answer."""
    async with world.workers(skipping.client):
        told, one = await begun(skipping, {})
        change = await told.change_is("rollback", "applied")
        await skipping.sleep(4 * MINUTE)
        state, texts = await told.state(), [entry["text"] for entry in await told.timeline()]
        await skipping.sleep(2 * MINUTE)
        later = await told.state()
    assert world.by == [(one.terms.digest(), [])]
    assert (world.revision, change["approvals"], change["requested_by"]) == ("good", [], "orchestrator")
    assert change["preauthorised"] == {"digest": one.terms.digest(), "signed_by": ["cto", "compliance-officer"]}
    declared = [(who, "declared") for who in FOUR]
    started = [(who, f"started by {told_of(one)}: Roll back") for who in FOUR]
    assert pages(state) == [*declared, *started]
    assert pages(later) == [*declared, *started, *((who, "not acknowledged") for who in FOUR)]
    assert f"Started by {told_of(one)}: Roll back" in texts
    assert f"Applying: Roll back (by {told_of(one)})" in texts
    assert state["status"] == "declared"


async def test_what_the_hands_refuse_is_paged_and_may_be_asked_for(
    skipping: WorkflowEnvironment, world: Allowing
) -> None:
    """It ends with the reason; whoever is there requests it, and it is voted on as ever."""
    world.refuses = "cto has revoked it: not any more"
    async with world.workers(skipping.client):
        told, one = await begun(skipping, {})
        failed = await told.change_is("rollback", "failed")
        state = await told.state()
        await told.do("acknowledge")
        await told.do("request_change", step="rollback")
        asked = await told.change_is("rollback", "awaiting-approval")
        await approve(told, asked)
        await told.change_is("rollback", "applied")
        after = await told.state()
    assert failed["reason"] == f"Refused: {world.refuses}"
    told_so = [(who, f"not done by {told_of(one)}: Roll back: Refused: {world.refuses}") for who in FOUR]
    assert pages(state)[-4:] == told_so
    assert len(pages(state)) == 12
    assert [each["status"] for each in after["changes"]] == ["failed", "applied"]
    assert world.by == [(one.terms.digest(), []), (None, [MANAGER])]


async def test_it_begins_once_the_incident_is_raised(skipping: WorkflowEnvironment, world: Allowing) -> None:
    """And pages whoever commands, and nobody else."""
    async with world.workers(skipping.client):
        told, one = await begun(skipping, {}, severity=Severity.P1)
        await told.until(lambda state: len(state["findings"]) == 2)
        await told.do("acknowledge")
        assert (await told.state())["changes"] == []
        await told.do("reclassify", severity="P0", reason="everything is down")
        await told.change_is("rollback", "applied")
        state = await told.state()
    assert [page for page in pages(state) if "started" in page[1]] == [
        ("devops-lead", f"started by {told_of(one)}: Roll back")
    ]


async def test_evidence_goes_first(skipping: WorkflowEnvironment, world: Allowing) -> None:
    """Containment is started at the declaration, and carried out once evidence has begun."""
    world.gate.clear()
    what = {"type": "data-breach", "step": "contain", "action": "test.scale"}
    async with world.workers(skipping.client):
        told, _ = await begun(skipping, what, runbook=breach())
        await told.until(lambda state: len(state["changes"]) == 2)
        world.gate.set()
        await told.change_is("contain", "applied")
        await told.change_is("snapshot", "applied")
    assert world.applied_in_order == ["test.snapshot", "test.scale"]


async def test_a_plan_of_a_higher_class_is_not_carried_out(skipping: WorkflowEnvironment, world: Allowing) -> None:
    async with world.workers(skipping.client):
        told, _ = await begun(skipping, {"step": "promote", "action": "test.promote"})
        failed = await told.change_is("promote", "failed")
    assert failed["reason"] == "it is of class A3, which nobody pre-authorises"
    assert world.by == []


async def test_it_begins_once_however_often_the_history_is_full(skipping: WorkflowEnvironment, world: Allowing) -> None:
    """A later run of the incident, and of the change, knows what has begun, and by what."""
    world.applying.clear()
    async with world.workers(skipping.client):
        told, one = await begun(skipping, {}, history_limit=60)
        await told.change_is("rollback", "applying")
        for number in range(30):
            await told.do("note", text=f"note {number}")
        world.applying.set()
        await told.change_is("rollback", "applied")
        state = await told.state()
    assert [each["generation"] for each in state["changes"]] == [1]
    assert world.by == [(one.terms.digest(), [])]
