"""Every act that counts, with every wrong proof there is, by the real register: refused on record as unproven.

What people may say to an incident or a change falls under it by itself: a command without a row here fails.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from authority.claims import Claim
from domain.model import acts
from domain.model.commands import CHANGE_COMMANDS, INCIDENT_COMMANDS
from domain.model.proofs import of_break_glass, of_vote
from tests.activities.scopes import environment
from tests.builders import declaration, organisation, owed
from tests.delegating import delegation
from tests.house import FixedHouse
from tests.people import PEOPLE
from tests.workflows import checking
from tests.workflows.asking import MANAGER
from tests.workflows.told import Told
from tests.workflows.world import World

STAGING = environment().model_copy(update={"kind": "staging"})
DAY = timedelta(days=1)
TIMES = 1000
LEAD = "devops-lead"
SAID: dict[str, dict[str, Any]] = {
    "acknowledge": {},
    "note": {"text": "seen"},
    "request_change": {"step": "rollback"},
    "undo": {"step": "rollback"},
    "complete_task": {"step": "assess", "note": "all of it"},
    "waive_task": {"step": "assess", "reason": "none"},
    "reclassify": {"severity": "P1", "reason": "no patient waits"},
    "mitigated": {"summary": "rolled back"},
    "resolve": {"summary": "steady"},
    "reopen": {"reason": "again"},
    "false_alarm": {"reason": "a test"},
    "close": {},
    "record_fact": {"fact": "suspicion_at"},
    "discharge_obligation": {"step": "assessment", "reference": "r", "outcome": "remediated"},
    "obligation_not_required": {"step": "assessment", "reason": "none"},
    "supersede_obligation": {"step": "assessment", "reason": "another"},
    "custody": {"evidence": "e", "event": "released", "reason": "asked for", "to": "the police"},
    "hand_over": {"to": "cto"},
    "take_command": {"of": "cto"},
    "delegate": {"delegation": delegation().model_dump(mode="json", exclude_none=True)},
    "end_delegation": {"delegation": "0f" * 4, "reason": "back"},
    "approve": {},
    "reject": {"reason": "not now"},
    "cancel": {"reason": "not now"},
    "break_glass": {"reason": "nobody answers"},
}


@pytest.fixture(autouse=True)
def house() -> Iterator[FixedHouse]:
    made = FixedHouse(STAGING, organisation())
    made.keys = PEOPLE.keys()
    checking.HOUSES.append(made)
    yield made
    checking.HOUSES.clear()


class Act(NamedTuple):
    """Something that somebody says to a workflow, and what they claim for it."""

    handle: WorkflowHandle[Any, Any]
    name: str
    payload: dict[str, Any]
    claimed: dict[str, Any]

    def claim(self, **other: Any) -> Claim:
        return Claim.model_validate({**self.claimed, "nonce": secrets.token_hex(16), **other})

    def proof(self, **other: Any) -> dict[str, Any]:
        return PEOPLE.signed(self.claim(**other))

    async def say(self, proof: Any) -> None:
        signed = {} if proof is None else {"proof": proof}
        await self.handle.signal(self.name, {**self.payload, **signed})


def act_of(told: Told, name: str, digest: str) -> Act:
    """An act, honest but for its proof."""
    now = datetime.now(UTC).replace(microsecond=0)
    whole = {"organisation": organisation().id, "environment": STAGING.name, "incident": told.handle.id}
    times = {"at": now, "expires": now + timedelta(minutes=50)}
    if name in INCIDENT_COMMANDS:
        payload = {"by": LEAD, **SAID[name]}
        given = acts.given(acts.read(name, payload))
        over = {"act": acts.ACTS[name], "subject": acts.subject(name, given), "step": given.get("step")}
        return Act(told.handle, name, payload, {**whole, **times, **over, "by": LEAD})
    handle = told.change("rollback")
    payload = {"by": MANAGER, **({"digest": digest} if name in {"approve", "break_glass"} else {}), **SAID[name]}
    subject, act = of_vote(handle.id, digest), name
    if name == "break_glass":
        subject, act = of_break_glass(digest, payload["reason"]), acts.BREAK_GLASS
    over = {"act": act, "subject": subject, "step": "rollback", "generation": 1}
    return Act(handle, name, payload, {**whole, **times, **over, "by": MANAGER})


def mutated(proof: dict[str, Any]) -> dict[str, Any]:
    """One letter of the signature's body is another."""
    lines = proof["signature"].split("\n")
    at = len(lines) // 2
    lines[at] = ("B" if lines[at][0] != "B" else "C") + lines[at][1:]
    return {**proof, "signature": "\n".join(lines)}


WRONG: dict[str, Callable[[Act], Any]] = {
    "none": lambda _: None,
    "no proof at all": lambda _: {"x": "y"},
    "too large a one": lambda _: {"x": "y" * 13_000},
    "another act": lambda it: it.proof(act="test"),
    "about something else": lambda it: it.proof(subject="ab" * 32),
    "another step": lambda it: it.proof(step="scale-up"),
    "another change": lambda it: it.proof(generation=7),
    "another incident": lambda it: it.proof(incident="inc-20261123-0ther"),
    "another environment": lambda it: it.proof(environment="elsewhere"),
    "another organisation": lambda it: it.proof(organisation="elsewhere"),
    "an old one": lambda it: it.proof(at=it.claim().at - 2 * DAY, expires=it.claim().at - DAY),
    "one of tomorrow": lambda it: it.proof(at=it.claim().at + DAY, expires=it.claim().at + 2 * DAY),
    "another's": lambda it: it.proof(by="cto"),
    "by another's key": lambda it: PEOPLE.signed(it.claim(), PEOPLE.tokens["cto"]),
    "altered": lambda it: mutated(it.proof()),
}


async def _begun(server: WorkflowEnvironment) -> tuple[Told, str]:
    """An incident with a plan that waits for votes, and the digest of that."""
    given = {"environment": STAGING, "declared_at": datetime.now(UTC), "obligations": owed(), "phi": True}
    told = await Told.start(server.client, declaration(**given))
    request = act_of(told, "request_change", "")
    await told.do("request_change", **request.payload, proof=request.proof())
    change = await told.change_is("rollback", "awaiting-approval")
    return told, change["plan"]["digest"]


async def _refused(told: Told, count: int) -> list[dict[str, Any]]:
    while len(found := [one for one in await told.timeline() if one["kind"] == "refused"]) < count:
        await asyncio.sleep(0.05)
    return found


def test_every_command_has_a_row() -> None:
    assert set(SAID) == {*INCIDENT_COMMANDS, *CHANGE_COMMANDS}


SOON = {"acknowledge", *CHANGE_COMMANDS}
"""Tried each time; the others, which go the same way as the first, with the long tests."""


@pytest.mark.parametrize("name", [pytest.param(one, marks=() if one in SOON else pytest.mark.long) for one in SAID])
async def test_no_wrong_proof_counts(server: WorkflowEnvironment, house: FixedHouse, name: str) -> None:
    """Each is refused with its reason, as unproven; the guard is paged once; the honest one is then no such refusal."""
    async with World().workers(server.client):
        told, digest = await _begun(server)
        act = act_of(told, name, digest)
        wrong = {one: made for one, made in WRONG.items() if name != "note" or one != "none"}
        for made in wrong.values():
            await act.say(made(act))
        refused = await _refused(told, len(wrong))
        house.keys = PEOPLE.keys(**{who.replace("-", "_"): act.claim().at - DAY for who in (LEAD, MANAGER)})
        await act.say(act.proof())
        refused = await _refused(told, len(wrong) + 1)
        house.keys = PEOPLE.keys()
        await act.say(act.proof())
        while not checking.LOOKED or checking.LOOKED[-1].proof is None:
            await asyncio.sleep(0.02)
        await told.do(
            "note",
            text="all was heard",
            proof=act_of(told, "note", digest).proof(
                subject=acts.subject("note", {"text": "all was heard"}), act="note", step=None
            ),
        )
        timeline = await told.timeline()
    assert [one["data"]["command"] for one in refused] == [name] * (len(wrong) + 1)
    assert [one["data"]["reason"] for one in refused if not one["data"].get("unproven")] == []
    assert len({one["data"]["reason"] for one in refused}) >= len(wrong) - 2
    later = [one for one in timeline if one["kind"] == "refused" and one not in refused]
    assert not [one for one in later if one["data"].get("unproven")]
    assert sum("for the second time" in one["text"] for one in timeline if one["kind"] == "page") == 1


REPLAYED = {
    "acknowledge": ("acknowledged", "it was signed for something that is done already: sign it again"),
    "approve": ("approval", "the change is "),
    "break_glass": ("approval", "the change is "),
}
"""By act what it comes to once, and why it is refused from then on."""


@pytest.mark.long
@pytest.mark.parametrize("name", REPLAYED)
async def test_one_that_is_replayed_a_thousand_times_counts_once(server: WorkflowEnvironment, name: str) -> None:
    """Whoever can read the history says a vote, or an acknowledgement, again and again: once is all that it does."""
    kind, why = REPLAYED[name]
    async with World().workers(server.client):
        told, digest = await _begun(server)
        act = act_of(told, name, digest)
        proof = act.proof()
        for _ in range(TIMES):
            await act.say(proof)
        await told.do("note", text="seen", proof=act_of(told, "note", digest).proof())
        timeline = await told.timeline()
    assert len([one for one in timeline if one["kind"] == kind]) == 1
    refused = [one["data"]["reason"] for one in timeline if one["kind"] == "refused"]
    assert refused
    assert [one for one in refused if not one.startswith(why)] == []
    guarded = sum("for the second time" in one["text"] for one in timeline if one["kind"] == "page")
    assert guarded == int(name == "acknowledge")
