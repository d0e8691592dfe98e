"""Who made a claim: by a key that is that person's, over this claim, while both hold. Nothing else proves it."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from authority.claims import Claim
from authority.proofs import AHEAD, Proof, UnprovenError, prove
from authority.register import Register, RegisteredKey
from authority.ssh_keys import SK_ED25519, SK_P256
from tests.authority.signing import TOUCHED, TOUCHED_AND_VERIFIED, Token
from tests.authority.test_claims import AT, claimed

HERS, HIS, OLD = Token(SK_ED25519), Token(SK_P256), Token(SK_ED25519)
HOUR = timedelta(hours=1)
REVOKED = AT + timedelta(minutes=10)


def entered(token: Token, contact: str, **fields: Any) -> RegisteredKey:
    public = f"{token.key.kind} {b64encode(token.key.blob).decode()} {contact}"
    return RegisteredKey(contact=contact, method="ssh", public=public, by="cto", **{"since": AT - HOUR, **fields})


REGISTER = Register(
    [
        entered(HERS, "technical-manager"),
        entered(HIS, "cto"),
        entered(OLD, "technical-manager", until=REVOKED),
    ]
)


def made(**fields: Any) -> Claim:
    return Claim.model_validate(claimed(**fields))


def by(token: Token, claim: Claim, flags: int = TOUCHED) -> Proof:
    return Proof(method="ssh", key=token.key.fingerprint, signature=token.signed(claim.canonical(), flags))


def test_a_claim_is_proven_by_its_own_key() -> None:
    claim = made()
    assert prove(claim, by(HERS, claim), REGISTER, AT) == ("ssh", HERS.key.fingerprint, False)
    assert prove(claim, by(HERS, claim, TOUCHED_AND_VERIFIED), REGISTER, AT).holder_verified


def test_another_persons_key_proves_nothing() -> None:
    claim = made()
    with pytest.raises(UnprovenError, match="the key is not technical-manager's; technical-manager signs with SHA256:"):
        prove(claim, by(HIS, claim), REGISTER, AT)
    borrowed = by(HIS, claim).model_copy(update={"key": HERS.key.fingerprint})
    with pytest.raises(UnprovenError, match="it is by another key"):
        prove(claim, borrowed, REGISTER, AT)


def test_a_key_that_nobody_has_entered_proves_nothing() -> None:
    stranger, claim = Token(SK_ED25519), made(by="ceo")
    with pytest.raises(UnprovenError, match="no key of the register is called so; ceo has none: enrol one"):
        prove(claim, by(stranger, claim), REGISTER, AT)


@pytest.mark.parametrize("name", sorted(set(Claim.model_fields) - {"v", "by", "at", "expires"}))
def test_a_proof_is_of_one_claim_alone(name: str) -> None:
    """Of another plan, step, generation, incident, environment, organisation, act, decision: it proves nothing."""
    others: dict[str, Any] = {"act": "reject", "subject": "cd" * 32, "generation": 2, "nonce": "1f" * 16}
    other = made(**{name: others.get(name, "another")})
    with pytest.raises(UnprovenError, match="the signature proves nothing: it is not over this claim"):
        prove(other, by(HERS, made()), REGISTER, AT)


@settings(max_examples=400)
@given(st.integers(-7200, 7200), st.integers(1, 7200), st.integers(-7200, 7200), st.booleans())
def test_it_is_proven_while_claim_and_key_hold(at: int, lasts: int, now: int, old: bool) -> None:
    """Stated once more, over seconds from when the register was as it is."""
    seconds = timedelta(seconds=1)
    claim = made(at=AT + at * seconds, expires=AT + (at + lasts) * seconds)
    token, until = (OLD, 600) if old else (HERS, 10**9)
    in_time = at - AHEAD.total_seconds() <= now < at + lasts
    good = min(at, now) >= -3600 and now < until
    if in_time and good:
        assert prove(claim, by(token, claim), REGISTER, AT + now * seconds).key == token.key.fingerprint
    else:
        with pytest.raises(UnprovenError):
            prove(claim, by(token, claim), REGISTER, AT + now * seconds)


def test_what_was_proven_before_a_key_was_revoked_stays_proven() -> None:
    """Whoever reads the record asks for the moment at which the proof arrived."""
    claim = made()
    before, after = REVOKED - timedelta(seconds=1), REVOKED
    assert prove(claim, by(OLD, claim), REGISTER, before)
    with pytest.raises(UnprovenError, match="does not prove anything at that time"):
        prove(claim, by(OLD, claim), REGISTER, after)


def test_one_key_is_one_persons() -> None:
    with pytest.raises(ValueError, match="stands there twice: for cto and ceo"):
        Register([entered(HIS, "cto"), entered(HIS, "ceo")])


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"public": "ssh-ed25519 AAAA"}, "this is no public key"),
        ({"until": AT - 2 * HOUR}, "until is before since"),
        ({"method": "namespace"}, "method"),
    ],
)
def test_entries_that_are_none_are_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        RegisteredKey.model_validate(entered(HERS, "cto").model_dump() | fields)
