"""Each way to prove a claim proves its signer's own claim, untouched and in time, and no other proof is taken."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from authority.aws_iam import StsUnavailableError
from authority.aws_requests import signed
from authority.claims import Claim
from authority.proofs import Proof, Proven, UnprovenError, prove, prove_by_sts
from authority.register import Method, Register, RegisteredKey
from authority.ssh_keys import SK_P256
from tests.authority.authenticator import SITE, Authenticator
from tests.authority.signing import TOUCHED, Token
from tests.authority.sts import REGION, Sts, listening
from tests.authority.test_claims import AT, claimed
from tests.authority.test_proofs import entered

WHO = ("technical-manager", "cto")
TOKENS = {who: Token(SK_P256) for who in WHO}
PASSKEYS = {who: Authenticator("ES256") for who in WHO}
METHODS: tuple[Method, ...] = ("ssh", "webauthn", "aws-iam")
ALL = pytest.mark.parametrize("method", METHODS)
OTHERS: dict[str, Any] = {"act": "reject", "subject": "cd" * 32, "generation": 2, "nonce": "1f" * 16}
FIELDS = sorted(set(Claim.model_fields) - {"v", "by", "at", "expires"})


def key_of(contact: str, method: Method, public: str, **fields: Any) -> RegisteredKey:
    known = {"contact": contact, "method": method, "public": public, "by": "cto", "since": AT - timedelta(hours=1)}
    return RegisteredKey.model_validate(known | fields)


class Proving:
    """Two people, each with a key of every method."""

    def __init__(self, sts: Sts) -> None:
        self._sts = sts
        self._arns = dict(zip(WHO, sts.known, strict=True))
        keys = [entered(TOKENS[who], who) for who in WHO]
        keys += [key_of(who, "webauthn", PASSKEYS[who].line) for who in WHO]
        keys += [key_of(who, "aws-iam", self._arns[who]) for who in WHO]
        self.register = Register(keys)

    def key(self, method: Method, who: str) -> str:
        return next(one.name for one in self.register.of(who) if one.method == method)

    def proof(self, method: Method, who: str, claim: Claim) -> Proof:
        content = claim.canonical()
        by: dict[Method, Callable[[], str]] = {
            "ssh": lambda: TOKENS[who].signed(content, TOUCHED),
            "webauthn": lambda: PASSKEYS[who].asserted(content),
            "aws-iam": lambda: signed(content, self._sts.known[self._arns[who]], REGION, claim.at),
        }
        return Proof(method=method, key=self.key(method, who), signature=by[method]())

    def proven(self, claim: Claim, proof: Proof, now: timedelta = timedelta(minutes=1)) -> Proven:
        if proof.method == "aws-iam":
            return prove_by_sts(claim, proof, self.register, AT + now, REGION, self._sts.post)
        return prove(claim, proof, self.register, AT + now, SITE)


@pytest.fixture(scope="module")
def proving() -> Iterator[Proving]:
    with listening(users=1) as sts:
        yield Proving(sts)


def made(**fields: Any) -> Claim:
    return Claim.model_validate(claimed(**fields))


def _mutated(proof: Proof, data: st.DataObject) -> Proof:
    """One character of it changed for another, taken out, or put in."""
    text = proof.signature
    at = data.draw(st.integers(0, 10_000)) % len(text)
    by = data.draw(st.sampled_from('ABCabc0189+/=-_,;:{}[]" \n\\') | st.just(""))
    changed = text[:at] + by + text[at + data.draw(st.integers(0, 1)) :]
    assume(_said(changed) != _said(text))
    return proof.model_copy(update={"signature": changed})


def _said(text: str) -> Any:
    """What a proof says, however it is laid out."""
    try:
        return json.loads(text)
    except ValueError:
        return "".join(text.strip().splitlines())


def look(proving: Proving, method: Method, data: st.DataObject) -> None:
    """One claim, one honest proof, and what may be done with it."""
    fields = {"nonce": data.draw(st.text("0123456789abcdef", min_size=32, max_size=32)), "by": WHO[0]}
    claim = made(**fields)
    proof = proving.proof(method, WHO[0], claim)
    assert proving.proven(claim, proof) == (method, proof.key, method == "webauthn")
    name = data.draw(st.sampled_from(FIELDS))
    another = made(**(fields | {name: OTHERS.get(name, "another")}))
    theirs = proving.proof(method, WHO[1], claim)
    other = data.draw(st.sampled_from([one for one in METHODS if one != method]))
    wrong: dict[str, Callable[[], object]] = {
        "another claim": lambda: proving.proven(another, proof),
        "too late": lambda: proving.proven(claim, proof, timedelta(minutes=30)),
        "another's": lambda: proving.proven(claim, theirs),
        "another's as one's own": lambda: proving.proven(claim, theirs.model_copy(update={"key": proof.key})),
        "one's own as another's": lambda: proving.proven(made(**(fields | {"by": WHO[1]})), proof),
        "another method": lambda: proving.proven(claim, proof.model_copy(update={"method": other})),
        "another method's key": lambda: proving.proven(
            claim, proof.model_copy(update={"method": other, "key": proving.key(other, WHO[0])})
        ),
        "mutated": lambda: proving.proven(claim, _mutated(proof, data)),
    }
    with pytest.raises(UnprovenError):
        wrong[data.draw(st.sampled_from(sorted(wrong) + ["mutated"] * len(wrong)))]()


_USUAL = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


@ALL
@settings(_USUAL, max_examples=300)
@given(data=st.data())
def test_no_proof_but_the_honest_one_is_taken(proving: Proving, method: Method, data: st.DataObject) -> None:
    look(proving, method, data)


@pytest.mark.long
@pytest.mark.timeout(1800)
@ALL
@settings(_USUAL, max_examples=10_000)
@given(data=st.data())
def test_of_ten_thousand_none_is_taken(proving: Proving, method: Method, data: st.DataObject) -> None:
    look(proving, method, data)


def test_without_a_site_no_passkey_proves_anything(proving: Proving) -> None:
    claim = made()
    with pytest.raises(UnprovenError, match="the organisation names no site for which they are made"):
        prove(claim, proving.proof("webauthn", WHO[0], claim), proving.register, AT)


def test_each_method_has_its_way(proving: Proving) -> None:
    """What STS must be asked about is not proven without, and of other signatures STS knows nothing."""
    claim = made()
    with pytest.raises(UnprovenError, match="a proof by aws-iam is not taken here"):
        prove(claim, proving.proof("aws-iam", WHO[0], claim), proving.register, AT, SITE)
    for method in METHODS[:2]:
        with pytest.raises(UnprovenError, match=f"STS knows nothing of a proof by {method}"):
            prove_by_sts(claim, proving.proof(method, WHO[0], claim), proving.register, AT, REGION, _nobody)


def test_without_sts_nothing_is_proven_or_refused(proving: Proving) -> None:
    claim = made()
    with pytest.raises(StsUnavailableError, match="STS could not be asked: ConnectionRefusedError"):
        prove_by_sts(claim, proving.proof("aws-iam", WHO[0], claim), proving.register, AT, REGION, _nobody)


def _nobody(*_: object) -> Any:
    raise ConnectionRefusedError


def test_a_key_revoked_proves_nothing_after() -> None:
    revoked = key_of(WHO[0], "webauthn", PASSKEYS[WHO[0]].line, until=AT)
    claim = made()
    proof = Proof(method="webauthn", key=revoked.name, signature=PASSKEYS[WHO[0]].asserted(claim.canonical()))
    with pytest.raises(UnprovenError, match="does not prove anything at that time"):
        prove(claim, proof, Register([revoked]), AT, SITE)


def test_one_passkey_is_one_persons() -> None:
    """Whatever its credential is called."""
    line = PASSKEYS[WHO[0]].line
    keys = [key_of(WHO[0], "webauthn", line), key_of(WHO[1], "webauthn", f"{line}AAAA")]
    with pytest.raises(ValueError, match=f"stands there twice: for {WHO[0]} and {WHO[1]}"):
        Register(keys)


@pytest.mark.parametrize(
    ("method", "public", "why"),
    [
        ("webauthn", "ES256 AAAA AAAA", "its public key is no SubjectPublicKeyInfo"),
        ("webauthn", "arn:aws:iam::123456789012:user/jane", "write a passkey as"),
        ("aws-iam", "arn:aws:sts::123456789012:assumed-role/Admin/jane", "take the ARN of an IAM user"),
    ],
)
def test_entries_that_are_none_are_refused(method: Method, public: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        key_of(WHO[0], method, public)
