"""A vote by `aws-iam` counts for the hands by what was seen of it as it came, hours later, and by nothing else."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from activities.ledger.seen import SeenClaims
from activities.ledger.table import Table
from authority.aws_iam import StsUnavailableError
from authority.claims import Act, Claim
from authority.proofs import Proof, Seen, signature_digest
from authority.register import Register
from domain.model.activity_io import Ballot
from domain.model.proofs import Proven, Verdict, of_break_glass
from tests.activities.catalogue_worlds import world_of
from tests.activities.scopes import NOW
from tests.activities.test_proven_votes import STEP, Asked
from tests.activities.witnessing import FakeSts, arn_of, by_aws, credentials, key_of, looked
from tests.people import PEOPLE

HOUR = timedelta(hours=1)
LATER = 5 * HOUR
UNSEEN = "nobody has looked at its signature while AWS knew it"


class Seeing(Asked):
    """The CTO and the technical manager sign in to AWS; whoever requests has a key."""

    def __init__(self, action: str = "ecs.scale_service") -> None:
        super().__init__(world_of(action))
        self.sts = FakeSts()
        self.enrol()

    def enrol(self, **until: Any) -> None:
        others = [key for key in list(PEOPLE.keys()) if key.contact not in {"cto", "technical-manager"}]
        known = [key_of(one, until.get(one.replace("-", "_"))) for one in ("cto", "technical-manager")]
        self.house.keys = Register([*others, *known])

    def claim(self, by: str = "cto", **other: Any) -> Claim:
        return PEOPLE.claim(by, Act.APPROVE, self.plan.digest, self.where, STEP, **{"generation": 1, **other})

    def look(self, proof: dict[str, Any], after: timedelta = timedelta()) -> Verdict:
        return looked(self.sts, self.world.clients, self.house, proof, NOW + after)

    def seen(self, proof: dict[str, Any], after: timedelta = timedelta()) -> Ballot:
        """A vote that was looked at as it came, and found good."""
        assert self.look(proof, after).proven == Proven(method="aws-iam", key=proof["key"])
        return ballot(proof)

    @property
    def known(self) -> SeenClaims:
        return SeenClaims(Table(self.world.clients, self.world.scope.environment.ledger_table))


def ballot(proof: dict[str, Any]) -> Ballot:
    by = proof["claim"]["by"]
    return Ballot(by=by, role=by, proof=proof)


@pytest.fixture
def it() -> Iterator[Seeing]:
    with mock_aws():
        yield Seeing()


def test_a_vote_that_was_seen_counts_hours_later(it: Seeing) -> None:
    """AWS is asked once, as it comes: nobody asks again when it is acted on."""
    vote = it.seen(by_aws(it.claim()))
    assert it.apply(vote, after=LATER).outcome == "applied"
    assert it.sts.asked == 1


def _another_claim(it: Seeing) -> dict[str, Any]:
    it.seen(by_aws(it.claim(nonce="1f" * 16)))
    return by_aws(it.claim(nonce="2f" * 16))


def _altered_claim(it: Seeing) -> dict[str, Any]:
    proof = by_aws(it.claim())
    it.seen(proof)
    return {**proof, "claim": {**proof["claim"], "decision": "and more"}}


def _another_signature(it: Seeing) -> dict[str, Any]:
    proof = by_aws(it.claim())
    it.seen(proof)
    return {**proof, "signature": f"{proof['signature']} "}


def _by_another(it: Seeing) -> dict[str, Any]:
    proof = by_aws(it.claim(), held=credentials("technical-manager"))
    assert (
        it.look(proof).reason
        == f"the signature proves nothing: it is by another identity: {arn_of('technical-manager')}"
    )
    return proof


def _anothers_key(it: Seeing) -> dict[str, Any]:
    proof = by_aws(it.claim(), held=credentials("technical-manager"), arn=arn_of("technical-manager"))
    assert it.look(proof).reason == f"the key is not cto's; cto signs with {arn_of('cto')}"
    return proof


def _not_enrolled(it: Seeing) -> dict[str, Any]:
    proof = by_aws(it.claim(), held=credentials("ceo"), arn=arn_of("ceo"))
    assert "no key of the register is called so" in it.look(proof).reason
    return proof


def _seen_by_another_key(it: Seeing) -> dict[str, Any]:
    proof = by_aws(it.claim())
    digest = signature_digest(Proof(method="aws-iam", key=proof["key"], signature=proof["signature"]))
    it.known.put(it.claim().model_validate(proof["claim"]), Seen(arn_of("technical-manager"), digest, NOW))
    return proof


def _expired(it: Seeing) -> dict[str, Any]:
    proof = by_aws(it.claim(expires=NOW + HOUR))
    it.seen(proof)
    return proof


def _revoked(it: Seeing) -> dict[str, Any]:
    proof = by_aws(it.claim())
    it.seen(proof)
    it.enrol(cto=NOW + HOUR)
    return proof


def _of_another_change(it: Seeing) -> dict[str, Any]:
    proof = by_aws(it.claim(generation=2))
    it.seen(proof)
    return proof


def _looked_at_too_late(it: Seeing) -> dict[str, Any]:
    proof = by_aws(it.claim(expires=NOW + HOUR))
    assert "it has expired" in it.look(proof, 2 * HOUR).reason
    return proof


WRONG: dict[str, tuple[Callable[[Seeing], dict[str, Any]], str]] = {
    "not seen": (lambda it: by_aws(it.claim()), UNSEEN),
    "another claim was seen": (_another_claim, UNSEEN),
    "altered since it was seen": (_altered_claim, UNSEEN),
    "another signature was seen": (_another_signature, "another signature of this claim"),
    "by another identity": (_by_another, UNSEEN),
    "another's key": (_anothers_key, "the key is not cto's"),
    "nobody's key": (_not_enrolled, "no key of the register is called so"),
    "seen by another key": (_seen_by_another_key, "another signature of this claim"),
    "expired": (_expired, "it has expired"),
    "revoked": (_revoked, "the key does not prove anything at that time"),
    "of another change": (_of_another_change, "another change of the step"),
    "looked at too late": (_looked_at_too_late, "it has expired"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_vote_that_was_not_seen_so_counts_for_nothing(it: Seeing, wrong: str) -> None:
    made, why = WRONG[wrong]
    assert why in it.refused(ballot(made(it)), after=LATER)


def test_a_vote_is_used_once(it: Seeing) -> None:
    """Replayed it is found done; for the next change of the step it is none."""
    vote = it.seen(by_aws(it.claim()))
    for _ in range(2):
        assert it.apply(vote, after=LATER).outcome == "applied"
    assert it.look(vote.proof, LATER).proven is not None
    assert it.sts.asked == 1


def test_what_was_seen_first_stands(it: Seeing) -> None:
    """Nothing that is put later takes its place."""
    proof = by_aws(it.claim())
    it.seen(proof)
    claim = Claim.model_validate(proof["claim"])
    first = it.known.find(claim, Proof(method="aws-iam", key=proof["key"], signature=proof["signature"]))
    assert first is not None
    assert (first.key, first.at) == (arn_of("cto"), NOW)
    assert it.known.put(claim, first._replace(key=arn_of("ceo"))) == first


def test_while_sts_is_away_nothing_is_said(it: Seeing) -> None:
    """It is asked again, and then the same proof is good."""
    proof = by_aws(it.claim())
    it.sts.away = True
    with pytest.raises(StsUnavailableError):
        it.look(proof)
    assert UNSEEN in it.refused(ballot(proof))
    it.sts.away = False
    assert it.apply(it.seen(proof)).outcome == "applied"


def test_the_request_may_be_seen_too(it: Seeing) -> None:
    """By what whoever requests it was seen to sign; unseen it is none."""
    claim = PEOPLE.claim("devops-lead", Act.REQUEST, it.requested.proof["claim"]["subject"], it.where, STEP)  # type: ignore[union-attr]
    it.house.keys = Register([*(key for key in it.house.keys if key.contact != "devops-lead"), key_of("devops-lead")])
    vote = it.seen(by_aws(it.claim()))
    assert it.requested is not None
    it.requested.proof = by_aws(claim)
    assert f"the request of devops-lead is not proven: {UNSEEN}" in it.refused(vote)
    it.look(it.requested.proof)
    assert it.apply(vote).outcome == "applied"


def test_who_has_no_token_breaks_the_glass_by_aws() -> None:
    """Like with a key in a file; whoever has a token that is good now signs with that."""
    why = "nobody answers since 03:10"
    with mock_aws():
        it = Seeing("ecs.rollback_service")
        about = {"generation": 1, "at": NOW, "expires": NOW + HOUR}
        token = next(key for key in it.house.keys if key.contact == "devops-lead")
        it.house.keys = Register([*it.house.keys, key_of("devops-lead")])
        subject = of_break_glass(it.plan.digest, why)
        proof = by_aws(PEOPLE.claim("devops-lead", Act.BREAK_GLASS, subject, it.where, STEP, **about))
        vote = Ballot(by="devops-lead", role="devops-lead", proof=proof, break_glass=why)
        assert "sign with your hardware key" in it.look(proof).reason
        assert "sign with your hardware key" in it.refused(vote)
        lost = token.model_copy(update={"until": NOW - HOUR})
        it.house.keys = Register([*(key for key in it.house.keys if key.name != token.name), lost])
        claim = PEOPLE.claim("devops-lead", Act.REQUEST, it.requested.proof["claim"]["subject"], it.where, STEP)  # type: ignore[union-attr]
        it.requested = it.requested and it.requested.model_copy(update={"proof": by_aws(claim)})
        assert it.requested is not None
        assert it.look(it.requested.proof).proven is not None
        assert it.look(proof).proven is not None
        assert it.apply(vote).outcome == "applied"
