"""An authenticator in software: it makes passkeys, and asserts by them what a page asks, or something else."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authority.webauthn import RelyingParty

SITE = RelyingParty("axis-imaging.example", frozenset({"https://incidents.axis-imaging.example"}))
ALGORITHMS = ("ES256", "EdDSA", "RS256")
PRESENT, VERIFIED, BACKED_UP, ATTESTED, EXTENDED = 0x01, 0x04, 0x18, 0x40, 0x80


def b64url(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


class Authenticator:
    """One passkey, made for `SITE`."""

    def __init__(self, algorithm: str, credential: bytes | None = None) -> None:
        self._sign: Callable[[bytes], bytes]
        public: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
        if algorithm == "ES256":
            on_curve = ec.generate_private_key(ec.SECP256R1())
            self._sign = lambda content: on_curve.sign(content, ec.ECDSA(hashes.SHA256()))
            public = on_curve.public_key()
        elif algorithm == "EdDSA":
            edwards = ed25519.Ed25519PrivateKey.generate()
            self._sign, public = edwards.sign, edwards.public_key()
        else:
            assert algorithm == "RS256"
            held = rsa.generate_private_key(65537, 2048)
            self._sign = lambda content: held.sign(content, padding.PKCS1v15(), hashes.SHA256())
            public = held.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.credential = b64url(credential or sha256(der).digest())
        self.line = f"{algorithm} {b64encode(der).decode()} {self.credential}"

    def asserted(
        self,
        content: bytes,
        *,
        flags: int = PRESENT | VERIFIED,
        rp_id: str = SITE.rp_id,
        counter: int = 0,
        extensions: bytes = b"",
        client: dict[str, Any] | None = None,
        **sent: Any,
    ) -> str:
        """What a page hands on, over a claim's bytes. `client` and what is sent may be given otherwise."""
        said = {
            "type": "webauthn.get",
            "challenge": b64url(sha256(content).digest()),
            "origin": next(iter(SITE.origins)),
            "crossOrigin": False,
            **(client or {}),
        }
        return self.over(json.dumps(said).encode(), _data(rp_id, flags, counter, extensions), **sent)

    def over(self, client: bytes, data: bytes, **sent: Any) -> str:
        """Sign these two, whatever they are."""
        made = {
            "id": self.credential,
            "authenticatorData": b64url(data),
            "clientDataJSON": b64url(client),
            "signature": b64url(self._sign(data + sha256(client).digest())),
        }
        return json.dumps(made | sent)


def _data(rp_id: str, flags: int, counter: int, extensions: bytes) -> bytes:
    return sha256(rp_id.encode()).digest() + bytes([flags]) + counter.to_bytes(4, "big") + extensions
