"""Outside a sandbox a vote or a request counts once it is proven who makes it; else it is refused, on record."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from domain.model.activity_io import ApplyRequest
from domain.model.acts import of_request, of_undo
from tests.activities.scopes import environment
from tests.builders import declaration, owed
from tests.workflows import checking
from tests.workflows.asking import MANAGER
from tests.workflows.told import Told
from tests.workflows.world import World

STAGING = environment().model_copy(update={"kind": "staging"})
GOOD, BAD = {"good": True}, {"good": False}
REQUEST: dict[str, Any] = {"by": "development-lead", "step": "rollback", "set": {}}
UNSIGNED = "it is not signed: who does this proves who they are, by a key of the register (incident identity)"


@pytest.fixture(autouse=True)
def looked() -> Iterator[None]:
    checking.LOOKED.clear()
    yield
    checking.LOOKED.clear()


class Applied(World):
    """Keeps what the hands are asked to carry out."""

    def __init__(self) -> None:
        super().__init__()
        self.carried_out: list[ApplyRequest] = []

    def intended(self, call: ApplyRequest) -> Any:
        self.carried_out.append(call)
        return super().intended(call)


async def begun(server: WorkflowEnvironment) -> Told:
    told = await Told.start(server.client, declaration(environment=STAGING, declared_at=datetime.now(UTC)))
    await told.do("acknowledge", proof=GOOD)
    return told


async def refused(told: Told, handle: Any, name: str, payload: dict[str, Any]) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await handle.execute_update(name, payload)
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause.message


async def test_only_what_is_proven_counts(server: WorkflowEnvironment) -> None:
    """The hands are given the proofs as they came; refusals stand in the timeline, and nobody's vote is taken."""
    world = Applied()
    async with world.workers(server.client):
        told = await begun(server)
        assert await refused(told, told.handle, "request_change", REQUEST) == UNSIGNED
        assert await refused(told, told.handle, "request_change", {**REQUEST, "proof": BAD}) == "its proof is bad"
        await told.do("request_change", **REQUEST, proof=GOOD)
        change = await told.change_is("rollback", "awaiting-approval")
        handle, vote = told.change("rollback"), {"by": MANAGER, "digest": change["plan"]["digest"]}
        assert await refused(told, handle, "approve", vote) == UNSIGNED
        assert await refused(told, handle, "approve", {**vote, "proof": BAD}) == "its proof is bad"
        assert "is no proof" in await refused(told, handle, "approve", {**vote, "proof": {"x": "y" * 13_000}})
        await handle.execute_update("approve", {**vote, "proof": GOOD})
        record = await told.change_is("rollback", "applied")
        kinds = [entry["text"] for entry in await told.timeline() if entry["kind"] == "refused"]
    assert [one["verified"] for one in record["approvals"]] == [
        {"method": "ssh", "key": "SHA256:key", "holder_verified": False}
    ]
    (call, *_) = world.carried_out
    assert ([one.proof for one in call.votes], call.requested and call.requested.proof) == ([GOOD], GOOD)
    assert len(kinds) == 5
    _, request, _, approval, *_ = (one for one in checking.LOOKED)
    assert (request.act, request.subject, request.step, request.generation) == (
        "request",
        of_request("rollback", {}),
        "rollback",
        None,
    )
    assert (approval.act, approval.subject, approval.generation) == ("approve", change["plan"]["digest"], 1)


async def test_signals_are_looked_at_in_their_order(server: WorkflowEnvironment) -> None:
    """A rejection that came first decides; the look does not hold up what needs none."""
    world = Applied()
    async with world.workers(server.client):
        told = await begun(server)
        await told.do("request_change", **REQUEST, proof=GOOD)
        change = await told.change_is("rollback", "awaiting-approval")
        handle, digest = told.change("rollback"), change["plan"]["digest"]
        await handle.signal("approve", {"by": MANAGER, "digest": digest, "proof": BAD})
        await handle.signal("approve", {"by": MANAGER, "digest": digest})
        await handle.signal("reject", {"by": MANAGER, "reason": "look first", "proof": GOOD})
        await handle.signal("approve", {"by": "cto", "digest": digest, "proof": GOOD})
        record = await told.change_is("rollback", "rejected")
    assert [(one["by"], one["decision"]) for one in record["approvals"]] == [(MANAGER, "reject")]
    assert world.carried_out == []


async def test_an_undo_is_proven(server: WorkflowEnvironment) -> None:
    world = Applied()
    async with world.workers(server.client):
        told = await begun(server)
        await told.do("request_change", **REQUEST, proof=GOOD)
        change = await told.change_is("rollback", "awaiting-approval")
        vote = {"by": MANAGER, "digest": change["plan"]["digest"], "proof": GOOD}
        await told.change("rollback").execute_update("approve", vote)
        await told.change_is("rollback", "applied")
        undo = {"by": "development-lead", "step": "rollback"}
        assert await refused(told, told.handle, "undo", undo) == UNSIGNED
        await told.do("undo", **undo, proof=GOOD)
    assert checking.LOOKED[-1].subject == of_undo("rollback")


async def test_a_vote_before_its_plan_is_looked_at_when_it_comes(server: WorkflowEnvironment) -> None:
    """It is kept with its verdict, and heard once there is a plan."""
    world = Applied()
    world.gate.clear()
    async with world.workers(server.client):
        told = await begun(server)
        await told.do("request_change", **REQUEST, proof=GOOD)
        handle = told.change("rollback")
        await handle.execute_update("reject", {"by": MANAGER, "reason": "not now", "proof": GOOD})
        world.gate.set()
        record = await told.change_is("rollback", "rejected")
    assert record["approvals"][0]["verified"] == {"method": "ssh", "key": "SHA256:key", "holder_verified": False}


COUNTED: list[tuple[str, dict[str, Any]]] = [
    ("reclassify", {"by": "cto", "severity": "P1", "reason": "no patient waits"}),
    ("complete_task", {"by": "devops-lead", "step": "assess"}),
    ("waive_task", {"by": "devops-lead", "step": "assess", "reason": "none"}),
    ("custody", {"by": "security-lead", "evidence": "e", "event": "released", "reason": "asked for", "to": "police"}),
    ("mitigated", {"by": "devops-lead", "summary": "m"}),
    ("resolve", {"by": "devops-lead", "summary": "r"}),
    ("reopen", {"by": "devops-lead", "reason": "again"}),
    ("record_fact", {"by": "devops-lead", "fact": "suspicion_at"}),
    ("discharge_obligation", {"by": "cto", "step": "assessment", "reference": "r", "outcome": "remediated"}),
    ("obligation_not_required", {"by": "cto", "step": "assessment", "reason": "none"}),
    ("supersede_obligation", {"by": "cto", "step": "assessment", "reason": "another"}),
    ("hand_over", {"by": "devops-lead", "to": "cto"}),
    ("take_command", {"by": "cto", "of": "devops-lead"}),
    ("false_alarm", {"by": "devops-lead", "reason": "a test"}),
    ("close", {"by": "devops-lead"}),
    ("acknowledge", {"by": "devops-lead"}),
]


async def _refusals(told: Told) -> list[dict[str, Any]]:
    return [entry for entry in await told.timeline() if entry["kind"] == "refused"]


@pytest.mark.parametrize(("name", "payload"), COUNTED, ids=[name for name, _ in COUNTED])
async def test_what_counts_is_signed(server: WorkflowEnvironment, name: str, payload: dict[str, Any]) -> None:
    """Unsigned or badly signed, by update or by signal, it is refused on record and nothing comes of it."""
    async with World().workers(server.client):
        declared = {"environment": STAGING, "declared_at": datetime.now(UTC), "obligations": owed(), "phi": True}
        told = await Told.start(server.client, declaration(**declared))
        for signed in ({}, {"proof": BAD}, {"proof": "x"}, {"proof": {"x": "y" * 13_000}}):
            await told.handle.signal(name, {**payload, **signed})
        while len(refused := await _refusals(told)) < 4:
            await asyncio.sleep(0.05)
        timeline = await told.timeline()
    assert [one["data"]["command"] for one in refused] == [name] * 4
    assert refused[0]["data"]["reason"] == UNSIGNED
    of_it = {one["kind"] for one in timeline if one["cause"].get("command") == name}
    assert of_it <= {"refused", "paging", "page"}  # the second of them is paged
    assert sum("for the second time" in one["text"] for one in timeline if one["kind"] == "page") == 1


async def test_a_note_is_heard_unsigned_and_says_so(server: WorkflowEnvironment) -> None:
    async with World().workers(server.client):
        told = await begun(server)
        await told.do("note", text="quiet")
        await told.do("note", text="still quiet", proof=GOOD)
        assert await refused(told, told.handle, "note", {"by": "cto", "text": "x", "proof": BAD}) == "its proof is bad"
        notes = [entry for entry in await told.timeline() if entry["kind"] == "note"]
    assert [one["text"] for one in notes] == ["quiet (unsigned)", "still quiet"]
    assert "proof" not in notes[0]["cause"]
    assert notes[1]["cause"]["proof"] == GOOD


async def test_an_unsigned_acknowledgement_stops_no_page(skipping: WorkflowEnvironment) -> None:
    """It is on record, and the pages go on as if nobody had said it."""
    world = World()
    async with world.workers(skipping.client):
        told = await Told.start(skipping.client, declaration(environment=STAGING))
        await told.handle.signal("acknowledge", {"by": "devops-lead"})
        await skipping.sleep(360)
        state = await told.state()
    assert state["status"] == "declared"
    assert state["commander"] is None
    again = [one for one in state["pages"] if one["reason"] != "declared"]
    assert {one["role"] for one in again} >= {"devops-lead"}


class _Unreadable(list[Any]):
    """A register that nobody can read just now: a file amid being replaced, or one with a flaw."""

    def append(self, _one: Any) -> None:
        raise OSError("identities.yaml cannot be read")


async def test_what_could_not_be_looked_at_is_said_again(
    server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the worker's register cannot be read people are told so; it is no tampering, and pages nobody."""
    async with World().workers(server.client):
        told = await Told.start(server.client, declaration(environment=STAGING, declared_at=datetime.now(UTC)))
        monkeypatch.setattr(checking, "LOOKED", _Unreadable())
        for by in ("devops-lead", "cto"):
            await told.handle.signal("acknowledge", {"by": by, "proof": GOOD})
        while len(refused := await _refusals(told)) < 2:
            await asyncio.sleep(0.05)
        pages = [entry["text"] for entry in await told.timeline() if entry["kind"] == "page"]
    assert not [one for one in pages if "tampers" in one]
    assert [one["actor"] for one in refused] == ["devops-lead", "cto"]
    assert all("its proof could not be looked at" in one["text"] for one in refused)


async def test_a_role_is_proven_by_whom_it_is_now(server: WorkflowEnvironment) -> None:
    """The look asks for the contact whose name will stand in the entry."""
    async with World().workers(server.client):
        told = await begun(server)
        await told.do("note", by="technical-manager", text="quiet", proof=GOOD)
        await told.do("mitigated", by="incident-commander", summary="m", proof=GOOD)
    assert checking.LOOKED[-1].by == "devops-lead"
