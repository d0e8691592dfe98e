"""Proofs: whether a claim was made by whom it says, with a key that is that person's and good at that time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from authority import aws_iam, webauthn
from authority.claims import Claim
from authority.register import Method, Register, RegisteredKey
from authority.ssh_keys import key_of_line
from authority.ssh_signatures import SignatureError, verify

AHEAD = timedelta(minutes=5)
"""How far the clock of whoever signs may be ahead of ours."""


class Proof(BaseModel):
    """How a claim is proven: by which key of the register, and what that key has made of it."""

    model_config = ConfigDict(frozen=True)

    method: Method
    key: str = Field(max_length=200)
    signature: str = Field(max_length=8192)


class Seen(NamedTuple):
    """What was seen of a proof by `aws-iam` as it came: which key had signed (its ARN), by which signature, and when.

    `signature` is the SHA-256 of the proof's in hex, `at` in UTC.
    """

    key: str
    signature: str
    at: datetime


Sighting = Callable[[Claim, Proof], Seen | None]
"""What was seen of a claim and its proof; None where nobody has looked at it in time."""


class UnprovenError(ValueError):
    """Why a claim is not proven. It says what to do, and repeats nothing that came with it but names."""


class Proven(NamedTuple):
    """By what a claim is proven. `holder_verified` says whether a key or passkey asked for a PIN or a finger."""

    method: Method
    key: str
    holder_verified: bool = False


def prove(
    claim: Claim, proof: Proof, register: Register, now: datetime, site: webauthn.RelyingParty | None = None
) -> Proven:
    """Look at a proof that arrives `now` (UTC). Raises `UnprovenError`. One by `aws-iam` is for `prove_by_sts`.

    `site` is for whom the organisation's passkeys are made; without one no passkey proves anything. Whether the nonce
    is new, and whether who it is may do this, is for those to ask who have the record and the rules.
    """
    key = key_of(claim, proof, register, now)
    if proof.method not in _METHODS:
        raise UnprovenError(f"a proof by {proof.method} is not taken here: sign with a key")
    with _told():
        verified = _METHODS[proof.method](claim, proof, key, site)
    return Proven(proof.method, key.name, verified)


def prove_by_sts(
    claim: Claim, proof: Proof, register: Register, now: datetime, region: str, post: aws_iam.Post
) -> Proven:
    """Look at a proof by `aws-iam` that arrives `now` (UTC), and ask the STS endpoint of `region` by `post`.

    Raises `UnprovenError`, and `aws_iam.StsUnavailableError` where STS does not say. STS knows a signature for some
    minutes: a claim that waits longer is proven by the verdict of now, which its caller keeps where nobody else writes.
    """
    key = key_of(claim, proof, register, now)
    if proof.method != "aws-iam":
        raise UnprovenError(f"STS knows nothing of a proof by {proof.method}")
    with _told():
        aws_iam.verify(proof.signature, claim.canonical(), key.public, region, post)
    return Proven(proof.method, key.name)


def prove_as_seen(claim: Claim, proof: Proof, register: Register, now: datetime, seen: Sighting) -> Proven:
    """Look at a proof by `aws-iam` once more, `now` (UTC): by what was seen of it while STS knew its signature.

    Claim and key have to be good now, like those of any other proof, and the key when it was seen too. Raises
    `UnprovenError`, and what `seen` raises.
    """
    key = key_of(claim, proof, register, now)
    if proof.method != "aws-iam":
        raise UnprovenError(f"a proof by {proof.method} is looked at itself")
    found = seen(claim, proof)
    if found is None:
        raise UnprovenError("nobody has looked at its signature while AWS knew it: sign it again")
    if (found.key, found.signature) != (key.name, signature_digest(proof)):
        raise UnprovenError("AWS was asked about another signature of this claim: sign it again")
    if not key.proves_at(found.at):
        raise UnprovenError("the key did not prove anything when it was looked at")
    return Proven(proof.method, key.name)


def signature_digest(proof: Proof) -> str:
    """The SHA-256 of a signature, in hex."""
    return sha256(proof.signature.encode()).hexdigest()


def key_of(claim: Claim, proof: Proof, register: Register, now: datetime) -> RegisteredKey:
    """The key that a proof names: the claimant's, good `now` (UTC), when the claim holds. Raises `UnprovenError`.

    Whether that key has signed it is for `prove` to say.
    """
    if claim.at > now + AHEAD:
        raise UnprovenError(f"it is dated {claim.at:%Y-%m-%dT%H:%M:%SZ}, which is to come: look at the clock")
    if claim.expires <= now:
        raise UnprovenError(f"it has expired at {claim.expires:%Y-%m-%dT%H:%M:%SZ}: sign it again")
    key = register.key(proof.key)
    if key is None or key.method != proof.method:
        raise UnprovenError(f"no key of the register is called so{_instead(claim, register, now)}")
    if key.contact != claim.by:
        raise UnprovenError(f"the key is not {claim.by}'s{_instead(claim, register, now)}")
    if not (key.proves_at(now) and key.proves_at(min(claim.at, now))):
        raise UnprovenError(f"the key does not prove anything at that time{_instead(claim, register, now)}")
    return key


def _instead(claim: Claim, register: Register, now: datetime) -> str:
    good = [key.name for key in register.of(claim.by) if key.proves_at(now)]
    return f"; {claim.by} signs with {' or '.join(good)}" if good else f"; {claim.by} has none: enrol one"


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except SignatureError as error:
        raise UnprovenError(f"the signature proves nothing: {error}") from None


def _by_ssh(claim: Claim, proof: Proof, key: RegisteredKey, _site: webauthn.RelyingParty | None) -> bool:
    return bool(verify(proof.signature, claim.canonical(), key_of_line(key.public)).verified)


def _by_webauthn(claim: Claim, proof: Proof, key: RegisteredKey, site: webauthn.RelyingParty | None) -> bool:
    if site is None:
        raise UnprovenError("no passkey proves anything here: the organisation names no site for which they are made")
    passkey = webauthn.passkey_of_line(key.public)
    return webauthn.verify(proof.signature, claim.canonical(), passkey, site).verified


_METHODS: dict[Method, Callable[[Claim, Proof, RegisteredKey, webauthn.RelyingParty | None], bool]] = {
    "ssh": _by_ssh,
    "webauthn": _by_webauthn,
}
"""Those that need nobody to be asked."""
