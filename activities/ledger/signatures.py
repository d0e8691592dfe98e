"""Public keys in PEM, and signatures checked with them."""

import base64
import hashlib
from collections.abc import Collection, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

ANY = "*"
"""Begins the name of a key that the caller supplies, `*`, `*2`: it is trusted for every signature, whatever its ARN."""


class Keys:
    """The trusted keys, by ARN. Raises `ValueError` for a PEM that is not an elliptic-curve public key."""

    def __init__(self, pems: Mapping[str, str]) -> None:
        self._keys = {arn: _load(pem) for arn, pem in pems.items()}

    def vouches(self, arn: str, message: bytes, signature: str) -> bool:
        """Whether the key with this ARN is trusted and made this signature (ECDSA with SHA-256, DER in base64)."""
        own = [key for name, key in self._keys.items() if name == arn or name.startswith(ANY)]
        try:
            made = base64.b64decode(signature, validate=True)
        except ValueError:
            return False
        # base64's last digit has spare bits: accept one spelling only
        return base64.b64encode(made).decode() == signature and any(_made(key, made, message) for key in own)

    def only(self, fingerprints: Collection[str]) -> "Keys":
        """Those of the keys that have one of these fingerprints, in hex."""
        kept = Keys({})
        kept._keys = {arn: self._keys[arn] for arn, found in self.fingerprints().items() if found in fingerprints}
        return kept

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of each key's DER (SubjectPublicKeyInfo), in hex, by ARN."""
        return {
            arn: hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
            for arn, key in self._keys.items()
        }


def _made(key: EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message, ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _load(pem: str) -> EllipticCurvePublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("it is not an elliptic-curve public key")  # noqa: TRY004 - the file is wrong, not the caller
    return key
