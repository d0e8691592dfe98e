"""Hands ask AWS who has signed: tried with an STS that looks at signatures, by the activity that workers serve."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws
from moto.core.authorization import disable_iam_authentication, enable_iam_authentication
from temporalio.exceptions import ApplicationError

from activities.ledger.appending import Appender
from activities.proofs import claim_of
from activities.registry import activities
from activities.statuspage_client import StatusPageClient
from activities.witness import Witness
from authority.aws_iam import Answer
from authority.claims import Act, Claim
from authority.proofs import UnprovenError
from authority.register import Register
from authority.signed import signed as read
from domain.model.activity_io import AppendCall
from domain.model.proofs import ClaimAsked, Proven, Verdict
from domain.values.canonical import digest
from domain.values.ids import FORENSICS_QUEUE
from tests.activities.ledger_worlds import create_vault, place
from tests.activities.scopes import NOW
from tests.activities.test_signed_entries import LOWER
from tests.activities.witnessing import by_aws, key_of
from tests.activities.world import WorldClients, create_ledger
from tests.authority.sts import REGION, Sts, listening
from tests.builders import declaration, minutes, runbook
from tests.house import FixedHouse, asked_by, house_of
from tests.people import HOME
from tests.proven import Proving
from tests.records import INCIDENT

STAGING = place(kind="staging")
WHO = ("cto", "ceo", "devops-lead")
HOUR = timedelta(hours=1)


class World:
    """Three people sign in to AWS: two by a user of their own, one by a session of AWS SSO."""

    def __init__(self, sts: Sts) -> None:
        self.sts = sts
        self.clients = WorldClients()
        create_ledger(self.clients)
        create_vault(self.clients.inner)
        self.arns = dict(zip(WHO, sts.known, strict=True))
        self.house = FixedHouse(STAGING, None, runbook())
        self.house.keys = Register(key_of(who, arn=arn) for who, arn in self.arns.items())

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        with enable_iam_authentication():
            return self.sts.post(url, headers, body)

    def proof(self, claim: Claim, by: str | None = None) -> dict[str, Any]:
        return by_aws(claim, self.sts.known[self.arns[by or claim.by]], self.arns[claim.by], STAGING.region)

    def claim(self, by: str, **other: Any) -> Claim:
        made = {"organisation": HOME, "environment": STAGING.name, "incident": INCIDENT, "act": Act.CLOSE}
        held = {"subject": digest("all of it"), "by": by, "at": NOW, "expires": NOW + HOUR, "nonce": "0f" * 16}
        return Claim.model_validate({**made, **held, **other})

    def look(self, proof: dict[str, Any], now: datetime = NOW) -> Verdict:
        return Witness(self.clients, self.house, self.post).look(asked(proof), now)


def asked(proof: dict[str, Any]) -> ClaimAsked:
    claim = proof["claim"]
    about = {name: claim[name] for name in ("environment", "incident", "step", "generation", "act", "subject", "by")}
    return ClaimAsked(**about, proof=proof)


@pytest.fixture
def world() -> Iterator[World]:
    assert STAGING.region == REGION
    with mock_aws(), listening() as sts, disable_iam_authentication():
        yield World(sts)


@pytest.mark.parametrize("who", WHO)
def test_who_has_signed_is_proven(world: World, who: str) -> None:
    """By a user's own key, and by a session of AWS SSO."""
    assert world.look(world.proof(world.claim(who))).proven == Proven(method="aws-iam", key=world.arns[who])


def test_what_sts_refuses_proves_nothing_and_leaves_nothing(world: World) -> None:
    """A forged signature, one over another claim, and another's."""
    claim, other = world.claim("cto"), world.claim("cto", act=Act.REOPEN)
    honest = world.proof(claim)
    at = honest["signature"].index("Signature=") + len("Signature=")
    forged = f"{honest['signature'][:at]}{'0' * 64}{honest['signature'][at + 64 :]}"
    for proof, why in (
        ({**honest, "signature": forged}, "STS refuses it: its signature does not match"),
        ({**honest, "signature": world.proof(other)["signature"]}, "it is not over this claim"),
        (world.proof(claim, by="ceo"), f"it is by another identity: {world.arns['ceo']}"),
    ):
        assert why in world.look(proof).reason
    with pytest.raises(UnprovenError, match="a proof by aws-iam is not taken here"):
        claim_of(world.house, asked(honest), NOW)
    assert world.clients.client("dynamodb").scan(TableName=STAGING.ledger_table)["Items"] == []


def test_the_keeper_takes_what_the_activity_has_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the look on the queue, by the worker's own clients, to the entry on record; unseen it is refused."""
    monkeypatch.setattr("activities.witness.posting", lambda _: world.post)
    played = Proving(declaration(environment=STAGING, runbook=runbook()))
    house = house_of(played.incident.state.declaration)
    house.keys = world.house.keys
    page = StatusPageClient("http://127.0.0.1:9", "")
    given = activities(lambda _: world.clients, page, house, [FORENSICS_QUEUE])[FORENSICS_QUEUE]
    named = {one.__temporal_activity_definition.name: one for one in given}  # type: ignore[attr-defined]
    for name, by, payload in (("acknowledge", "devops-lead", {}), ("reclassify", "cto", LOWER)):
        proof = world.proof(played.claim(name, by, **payload))
        assert played.say(name, by, minutes(1), proof=proof, **payload) is None
    signed = [one.cause["proof"] for one in played.entries if one.kind in {"acknowledged", "severity"}]
    call = AppendCall(incident=INCIDENT, environment=STAGING.name, epoch=1, entries=list(played.entries))
    for proof in signed:
        with pytest.raises(ApplicationError, match="nobody has looked at its signature while AWS knew it"):
            asked_by(INCIDENT).run(named["ledger.append"], call)
        within = asked_by(INCIDENT)
        within.info = replace(within.info, started_time=read(proof).claim.at)
        verdict = within.run(named["proofs.witness"], asked(proof))
        assert verdict == Verdict(proven=Proven(method="aws-iam", key=read(proof).key))
    assert Appender(world.clients, house).append(call).written == len(played.entries)
