"""A proof by `aws-iam` is for the hands to look at; what they say stands in history, and nobody waits for them."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.builders import declaration
from tests.workflows import checking
from tests.workflows.asking import MANAGER
from tests.workflows.test_proven_commands import BAD, GOOD, REQUEST, STAGING, Applied, begun, refused
from tests.workflows.told import Told

SIGNED: dict[str, Any] = {"method": "aws-iam", **GOOD}
FORGED: dict[str, Any] = {"method": "aws-iam", **BAD}
PROVEN = {"method": "aws-iam", "key": "arn:aws:iam::123456789012:user/cto", "holder_verified": False}


@pytest.fixture(autouse=True)
def sts() -> Iterator[checking.Sts]:
    checking.STS.reset()
    checking.LOOKED.clear()
    checking.WITNESSED.clear()
    yield checking.STS
    checking.LOOKED.clear()
    checking.WITNESSED.clear()


async def test_the_hands_say_who_has_signed(server: WorkflowEnvironment) -> None:
    """In the incident and in a change; what they say stands with the vote, and goes to whoever carries it out."""
    world = Applied()
    async with world.workers(server.client):
        told = await begun(server)
        assert await refused(told, told.handle, "request_change", {**REQUEST, "proof": FORGED}) == "its proof is bad"
        await told.do("request_change", **REQUEST, proof=SIGNED)
        change = await told.change_is("rollback", "awaiting-approval")
        handle, vote = told.change("rollback"), {"by": MANAGER, "digest": change["plan"]["digest"]}
        assert await refused(told, handle, "approve", {**vote, "proof": FORGED}) == "its proof is bad"
        await handle.execute_update("approve", {**vote, "proof": SIGNED})
        record = await told.change_is("rollback", "applied")
    assert [one["verified"] for one in record["approvals"]] == [PROVEN]
    (call, *_) = world.carried_out
    assert ([one.proof for one in call.votes], call.requested and call.requested.proof) == ([SIGNED], SIGNED)
    assert [one.act for one in checking.WITNESSED] == ["request", "request", "approve", "approve"]
    assert [one.act for one in checking.LOOKED] == ["acknowledge"]


async def test_while_aws_is_asked_others_are_heard(server: WorkflowEnvironment, sts: checking.Sts) -> None:
    """In their order each: what AWS has to be asked about, and what has not."""
    sts.may.clear()
    async with Applied().workers(server.client):
        told = await begun(server)
        for text in ("first", "second"):
            await told.handle.signal("note", {"by": "cto", "text": text, "proof": SIGNED})
        while not checking.WITNESSED:
            await asyncio.sleep(0.02)
        await told.do("note", text="meanwhile", proof=GOOD)
        sts.may.set()
        while len(notes := [one["text"] for one in await told.timeline() if one["kind"] == "note"]) < 3:
            await asyncio.sleep(0.02)
    assert notes == ["meanwhile", "first", "second"]


async def test_while_aws_is_away_it_is_said_again(skipping: WorkflowEnvironment, sts: checking.Sts) -> None:
    """Asked for two minutes; then whoever sent it hears so, it is no tampering, and nobody is paged for it."""
    sts.away = True
    async with Applied().workers(skipping.client):
        told = await Told.start(skipping.client, declaration(environment=STAGING))
        for _ in range(2):
            await told.handle.signal("acknowledge", {"by": "devops-lead", "proof": SIGNED})
        await skipping.sleep(300)
        timeline = await told.timeline()
        assert (await told.state())["status"] == "declared"
    reasons = [one["data"]["reason"] for one in timeline if one["kind"] == "refused"]
    assert len(reasons) == 2
    assert all(one.startswith("its proof could not be looked at") and one.endswith("say it again") for one in reasons)
    assert not [one for one in timeline if one["kind"] == "page" and "tampers" in one["text"]]
    assert len(checking.WITNESSED) > 4
