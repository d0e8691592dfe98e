"""Everybody's signature, by a key that each process here has by itself, and a worker's own files that know them."""

from base64 import b64encode
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256, sha512
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authority.approvals import Approval
from authority.claims import Claim
from authority.delegations import Entry as Delegated
from authority.preauthorisations import Entry
from authority.register import Register, RegisteredKey
from authority.ssh_keys import key_of_blob
from authority.ssh_signatures import NAMESPACE
from authority.wire import string
from benchmarks import outage
from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.config.runbook import Runbook
from domain.config.schedule import Schedule

_KIND = "ssh-ed25519"
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def _held(contact: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(f"benchmark {contact}".encode()).digest())


@cache
def _blob(contact: str) -> bytes:
    raw = _held(contact).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return string(_KIND.encode()) + string(raw)


def signed(claim: Claim) -> dict[str, Any]:
    """The claim with its proof, as a command carries it (PROTOCOL.sshsig of OpenSSH)."""
    common = string(NAMESPACE.encode()) + string(b"") + string(b"sha512")
    held = _held(claim.by).sign(b"SSHSIG" + common + string(sha512(claim.canonical()).digest()))
    made = string(_KIND.encode()) + string(held)
    blob = b"SSHSIG" + (1).to_bytes(4, "big") + string(_blob(claim.by)) + common + string(made)
    armoured = f"-----BEGIN SSH SIGNATURE-----\n{b64encode(blob).decode()}\n-----END SSH SIGNATURE-----\n"
    proof = {"method": "ssh", "key": key_of_blob(_blob(claim.by)).fingerprint, "signature": armoured}
    return {"claim": claim.model_dump(mode="json"), **proof}


@cache
def staging() -> Environment:
    """The shipped sandbox, by another kind."""
    return outage.declaration("none").environment.model_copy(update={"kind": "staging"})


class House:
    """What a look at a proof knows: the shipped organisation in staging, and everybody's key."""

    def environment(self) -> Environment:
        return staging()

    def organisation(self) -> Organisation:
        return _organisation()

    def register(self) -> Register:
        return _register()

    def approvals(self) -> tuple[Approval, ...]:
        return ()

    def preauthorisations(self) -> tuple[Entry, ...]:
        return ()

    def delegations(self) -> tuple[Delegated, ...]:
        return ()

    def schedules(self) -> dict[str, Schedule]:
        return {}

    def runbook(self, digest: str) -> Runbook | None:  # noqa: ARG002 - none is asked for
        return None


@cache
def _organisation() -> Organisation:
    return outage.declaration("none").organisation


@cache
def _register() -> Register:
    lines = {one.id: f"{_KIND} {b64encode(_blob(one.id)).decode()}" for one in _organisation().contacts}
    return Register(
        RegisteredKey(contact=one, method="ssh", public=line, since=_LONG_AGO, by=outage.LEAD)
        for one, line in lines.items()
    )
