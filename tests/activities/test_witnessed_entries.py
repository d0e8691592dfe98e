"""The record takes what counts by `aws-iam` by what was seen of it as it came, as of the entry's time."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from authority.register import Register
from tests.activities.ledger_worlds import ledger_and_vault
from tests.activities.test_signed_entries import LOWER, Kept
from tests.activities.witnessing import FakeSts, arn_of, by_aws, credentials, key_of, looked
from tests.activities.world import WorldClients
from tests.builders import minutes
from tests.people import PEOPLE

UNSEEN = "nobody has looked at its signature while AWS knew it"


class Seeing(Kept):
    """The CTO signs in to AWS."""

    def __init__(self, clients: WorldClients) -> None:
        super().__init__(clients)
        self.sts = FakeSts()
        self.enrol()

    def enrol(self, until: datetime | None = None) -> None:
        others = [key for key in list(PEOPLE.keys()) if key.contact != "cto"]
        self.house.keys = Register([*others, key_of("cto", until)])

    def proof(self, **payload: Any) -> dict[str, Any]:
        return by_aws(self.played.claim("reclassify", "cto", **payload))

    def seen(self, proof: dict[str, Any]) -> dict[str, Any]:
        """A proof that was looked at as it came, and found good."""
        verdict = looked(self.sts, self.clients, self.house, proof, self.played.now)
        assert verdict.proven is not None, verdict
        return proof


@pytest.fixture
def kept() -> Iterator[Seeing]:
    with ledger_and_vault() as clients:
        yield Seeing(clients)


def test_what_was_seen_is_taken(kept: Seeing) -> None:
    """Written late too, and once: AWS is asked as it comes alone."""
    kept.say("reclassify", "cto", proof=kept.seen(kept.proof(**LOWER)), **LOWER)
    kept.write()
    kept.append(kept.played.entries)
    assert kept.sts.asked == 1


def _another_claim(kept: Seeing) -> dict[str, Any]:
    kept.seen(by_aws(kept.played.claim("reclassify", "cto", severity="P1", reason="one does")))
    return kept.proof(**LOWER)


def _another_signature(kept: Seeing) -> dict[str, Any]:
    proof = kept.seen(kept.proof(**LOWER))
    return {**proof, "signature": f"{proof['signature']} "}


def _by_another(kept: Seeing) -> dict[str, Any]:
    proof = by_aws(kept.played.claim("reclassify", "cto", **LOWER), held=credentials("ceo"))
    assert "another identity" in looked(kept.sts, kept.clients, kept.house, proof, kept.played.now).reason
    return proof


WRONG: dict[str, tuple[Callable[[Seeing], dict[str, Any]], str]] = {
    "not seen": (lambda kept: kept.proof(**LOWER), UNSEEN),
    "another claim was seen": (_another_claim, UNSEEN),
    "another signature was seen": (_another_signature, "another signature of this claim"),
    "by another identity": (_by_another, UNSEEN),
    "another's key": (lambda kept: {**kept.proof(**LOWER), "key": arn_of("ceo")}, "no key of the register"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_was_not_seen_so_is_refused(kept: Seeing, wrong: str) -> None:
    made, why = WRONG[wrong]
    kept.say("reclassify", "cto", proof=made(kept), **LOWER)
    assert why in kept.refused()


def test_it_is_used_up(kept: Seeing) -> None:
    proof = kept.seen(kept.proof(**LOWER))
    kept.say("reclassify", "cto", proof=proof, **LOWER)
    back: dict[str, Any] = {"severity": "P0", "reason": "they do"}
    kept.say("reclassify", "cto", proof=kept.seen(kept.proof(**back)), **back)
    kept.write()
    kept.played.incident.state.nonces.clear()
    kept.say("reclassify", "cto", proof=proof, **LOWER)
    assert "was used for another" in kept.refused()


def test_a_claim_that_had_expired_then_proves_nothing(kept: Seeing) -> None:
    """It was seen in time, and said a day later."""
    proof = kept.seen(kept.proof(**LOWER))
    kept.say("reclassify", "cto", minutes(25 * 60), proof=proof, **LOWER)
    assert "it has expired" in kept.refused()


def test_a_key_that_was_revoked_proves_what_was_before(kept: Seeing) -> None:
    kept.say("reclassify", "cto", proof=kept.seen(kept.proof(**LOWER)), **LOWER)
    kept.enrol(kept.played.now + minutes(1))
    kept.write()
    back: dict[str, Any] = {"severity": "P1", "reason": "one does"}
    kept.enrol()
    proof = kept.seen(kept.proof(**back))
    kept.enrol(kept.played.now + minutes(1))
    kept.say("reclassify", "cto", minutes(12), proof=proof, **back)
    assert "the key does not prove anything at that time" in kept.refused()


def test_a_key_that_was_lost_before_it_was_seen_proves_nothing(kept: Seeing) -> None:
    """By the minute: whatever the entry is dated, the hands know when it came."""
    kept.say("reclassify", "cto", proof=kept.seen(kept.proof(**LOWER)), **LOWER)
    kept.enrol(kept.played.now - minutes(1))
    assert "the key did not prove anything when it was looked at" in kept.refused()
