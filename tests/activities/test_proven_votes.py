"""Outside a sandbox the hands begin what is requested and approved by people who prove it, and nothing else."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.changes.hands import Hands
from activities.changes.intents import Intent, Intents, Nonce
from activities.changes.runner import ChangeRunner
from activities.ledger.table import Table
from authority.claims import Act
from authority.register import Register, RegisteredKey
from domain.config.approval import ApprovalRule
from domain.config.organisation import Passkeys
from domain.config.runbook import ChangeStep
from domain.model.activity_io import About, Applied, ApplyRequest, Ballot, PlanRequest
from domain.model.plan import Plan
from domain.model.proofs import Requested
from tests.activities.catalogue_worlds import world_of
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import NOW
from tests.authority.authenticator import SITE, Authenticator
from tests.house import FixedHouse, about, on_record, runbook_of
from tests.people import PEOPLE, People

STEP = "scale-up"
HOUR = timedelta(hours=1)
STRANGER = People("cto")


class Asked:
    """A change that the devops lead requests, and that the CTO or the technical manager approves."""

    def __init__(self, world: ChangeWorld, kind: str = "staging") -> None:
        self.world = world
        rule = ApprovalRule(roles=("cto", "technical-manager"), quorum=1)
        given = {"id": STEP, "change": world.change.name, "title": "Do it", "with": world.params, "approval": rule}
        runbook = runbook_of(ChangeStep.model_validate(given))
        self.house = FixedHouse(world.scope.environment.model_copy(update={"kind": kind}), None, runbook)
        self.house.keys = PEOPLE.keys()
        on_record(world.clients, world.scope, runbook)
        self.hands = Hands(world.clients, self.house, world.change, ChangeRunner(world.clients))
        self.where: About = about(world.scope)
        self.requested: Requested | None = PEOPLE.request("devops-lead", self.where, STEP)
        self.plan: Plan = self.hands.plan(PlanRequest(**self._asked(1)), NOW).plan
        self.before = world.snapshot()

    def _asked(self, generation: int) -> dict[str, Any]:
        who = {"requested_by": "devops-lead", "requested": self.requested}
        return {"about": self.where, "step": STEP, "generation": generation, "params": self.world.params, **who}

    def vote(self, by: str = "cto", **other: Any) -> Ballot:
        return PEOPLE.vote(by, by, self.plan, self.where, STEP, other.pop("generation", 1), **other)

    def apply(self, *votes: Ballot, generation: int = 1, after: timedelta = timedelta()) -> Applied:
        return self.hands.apply(self.call(*votes, generation=generation), NOW + after)

    def call(self, *votes: Ballot, generation: int = 1) -> ApplyRequest:
        return ApplyRequest(**self._asked(generation), digest=self.plan.digest, votes=votes)

    def refused(self, *votes: Ballot, **how: Any) -> str:
        """Why; nothing is done, and nothing begun."""
        with pytest.raises(RuleError) as refused:
            self.apply(*votes, **how)
        table = Table(self.world.clients, self.world.scope.environment.ledger_table)
        assert Intents(table).get(self.where.incident, STEP, how.get("generation", 1)) is None
        assert self.world.snapshot() == self.before
        return str(refused.value)


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield world_of("ecs.scale_service")


@pytest.fixture
def asked(world: ChangeWorld) -> Asked:
    return Asked(world)


def test_what_is_proven_is_done(asked: Asked) -> None:
    """Once: asked for again, it is found done; the proofs stand with the intent."""
    vote = asked.vote()
    assert asked.apply(vote).outcome == "applied"
    assert asked.apply(vote).outcome == "applied"
    table = Table(asked.world.clients, asked.world.scope.environment.ledger_table)
    intent = Intents(table).get(asked.where.incident, STEP, 1)
    assert intent is not None
    assert [one.proof["claim"]["by"] for one in intent.votes] == ["cto"]


WRONG: dict[str, tuple[Callable[[Asked], Ballot], str]] = {
    "none": (lambda _: Ballot(by="cto", role="cto"), "it is not signed"),
    "no proof at all": (lambda _: Ballot(by="cto", role="cto", proof="yes"), "its proof cannot be read"),
    "another step": (lambda it: it.vote(step="rollback"), "another step"),
    "another change": (lambda it: it.vote(generation=2), "another change of the step"),
    "another incident": (lambda it: it.vote(incident="inc-20261123-0ther"), "another incident"),
    "another environment": (lambda it: it.vote(environment="elsewhere"), "another environment"),
    "another organisation": (lambda it: it.vote(organisation="example"), "another organisation"),
    "another plan": (lambda it: it.vote(subject="ab" * 32), "another plan than the one that stands"),
    "a rejection": (lambda it: it.vote(act="reject"), "another act"),
    "an old one": (lambda it: it.vote(at=NOW - 2 * HOUR, expires=NOW - HOUR), "it has expired"),
    "one of tomorrow": (lambda it: it.vote(at=NOW + 24 * HOUR, expires=NOW + 25 * HOUR), "which is to come"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_vote_that_proves_something_else_is_none(asked: Asked, wrong: str) -> None:
    made, why = WRONG[wrong]
    assert why in asked.refused(made(asked))


def test_anothers_key_proves_nothing(asked: Asked) -> None:
    """Neither a key that nobody knows, nor that of a colleague in the voter's name."""
    claim = PEOPLE.claim("cto", "approve", asked.plan.digest, asked.where, STEP, generation=1)  # type: ignore[arg-type]
    for token in (STRANGER.tokens["cto"], PEOPLE.tokens["technical-manager"]):
        vote = Ballot(by="cto", role="cto", proof=PEOPLE.signed(claim, token))
        assert "the vote of cto is not proven" in asked.refused(vote)


def test_a_key_that_was_revoked_proves_nothing(asked: Asked) -> None:
    """From then on, though the vote was cast before: whoever found the key may date what they sign."""
    vote = asked.vote()
    asked.house.keys = PEOPLE.keys(cto=NOW - HOUR)
    assert "the key does not prove anything at that time" in asked.refused(vote)
    asked.house.keys = PEOPLE.keys(cto=NOW + HOUR)
    assert asked.apply(vote).outcome == "applied"


def test_whoever_requests_proves_it_too(asked: Asked) -> None:
    """So nobody approves what they have requested in another's name."""
    vote = asked.vote()
    asked.requested = None
    assert "the request of devops-lead is not proven: it is not signed" in asked.refused(vote)
    asked.requested = PEOPLE.request("cto", asked.where, STEP)
    assert "it is signed for somebody else" in asked.refused(vote)
    asked.requested = PEOPLE.request("devops-lead", asked.where, STEP, {"service": "frontend"})
    assert "requested with other parameters" in asked.refused(vote)


def test_a_nonce_is_used_once(asked: Asked) -> None:
    """A vote that was copied begins no second change; what is put again for the same change stands."""
    intents = Intents(Table(asked.world.clients, asked.world.scope.environment.ledger_table))
    made = [Intent.of(asked.plan, ("inc-20261123-7f3k", "copied", number), "id", ("cto",), NOW) for number in (1, 2)]
    used = [Nonce("0f" * 16, "cto", f"inc-20261123-7f3k/copied/{number}") for number in (1, 2)]
    intents.put(made[0], 1, nonces=(used[0],))
    with pytest.raises(RuleError, match="a vote on copied, or its request, was used for another change"):
        intents.put(made[1], 1, nonces=(used[1],))
    assert intents.get("inc-20261123-7f3k", "copied", 2) is None
    intents.put(made[1], 1, nonces=(used[0], used[1]._replace(value="1f" * 16)))


def test_waiting_voids_no_vote(asked: Asked) -> None:
    """It counts when the change was first asked to be carried out, however long a lock is waited for after that."""
    vote = asked.vote(expires=NOW + HOUR)
    call = ApplyRequest(**asked._asked(1), digest=asked.plan.digest, votes=(vote,))
    with pytest.raises(RuleError, match="it has expired"):
        asked.hands.apply(call, NOW + 2 * HOUR)
    assert asked.hands.apply(call, NOW + 2 * HOUR, NOW).outcome == "applied"


def test_in_a_sandbox_nobody_proves_anything(world: ChangeWorld) -> None:
    asked = Asked(world, "sandbox")
    asked.requested = None
    assert asked.apply(Ballot(by="cto", role="cto")).outcome == "applied"


def test_a_passkey_proves_where_the_organisation_names_its_site(asked: Asked) -> None:
    """The claim is the challenge; without a site, or with another, the same assertion proves nothing."""
    passkey = Authenticator("ES256")
    register = [key for key in PEOPLE.keys() if key.contact != "cto"]  # noqa: SIM118 - it is no mapping
    entry = RegisteredKey(contact="cto", method="webauthn", public=passkey.line, since=NOW - HOUR, by="cto")
    asked.house.keys = Register([*register, entry])
    claim = PEOPLE.claim("cto", Act.APPROVE, asked.plan.digest, asked.where, STEP, generation=1)
    said = {"claim": claim.model_dump(mode="json"), "method": "webauthn", "key": entry.name}
    vote = Ballot(by="cto", role="cto", proof={**said, "signature": passkey.asserted(claim.canonical())})
    assert "names no site for which they are made" in asked.refused(vote)
    people = asked.house.organisation()
    for site, good in (("elsewhere.example", False), (SITE.rp_id, True)):
        asked.house.people = people.model_copy(update={"passkeys": Passkeys(site=site, origins=tuple(SITE.origins))})
        if good:
            assert asked.apply(vote).outcome == "applied"
        else:
            assert "the vote of cto is not proven" in asked.refused(vote)
