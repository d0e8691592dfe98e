"""Assertions by passkeys over claims (Web Authentication level 2, section 7.2), verified without any I/O.

The challenge that a passkey is asked to sign is the SHA-256 of the claim's canonical bytes. It must have been touched
and must have verified who holds it. The signature counter is kept nowhere: synchronised passkeys say nought for ever,
and what must not count twice is a claim's nonce. Registration asks for no attestation.
"""

from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Literal, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from pydantic import BaseModel, ConfigDict, Field

from authority.ssh_signatures import SignatureError

_LEAST_BITS, _MOST_BITS = 2048, 4096
"""Of RSA. The chips of Windows machines, which alone make such passkeys, hold keys of 2,048 bits."""
_MOST = 8192
"""Characters of an assertion; those that browsers make have a thousand."""
_MOST_CREDENTIAL = 1364
"""Characters: 1,023 bytes (section 4, Credential ID)."""
_PRESENT, _VERIFIED, _EXTENDED = 0x01, 0x04, 0x80
_ATTESTED = 0x40
_PLAIN = 37
"""Bytes of authenticator data without extensions: the hash of the RP id, flags, counter (section 6.1)."""

_Key = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


class PasskeyError(ValueError):
    """A passkey that is not taken, and why."""


class RelyingParty(NamedTuple):
    """For whom passkeys are made: the RP id (a domain), and to the letter the origins (`https://…`) that may ask.

    A browser lets a page ask for its own domain alone, or for one above it.
    """

    rp_id: str
    origins: frozenset[str]


class Passkey(NamedTuple):
    """A registered passkey: its algorithm, its public key, and its credential id in base64url, as a browser has it."""

    algorithm: str
    key: _Key
    credential: str

    @property
    def fingerprint(self) -> str:
        """What a proof calls it: `SHA256:…` in base64, over its SubjectPublicKeyInfo."""
        return "SHA256:" + b64encode(sha256(_in_der(self.key)).digest()).decode().rstrip("=")

    def has_signed(self, signature: bytes, content: bytes) -> bool:
        """Whether a signature, as an authenticator gives it, is by this key over these bytes."""
        try:
            match self.key:
                case ed25519.Ed25519PublicKey():
                    self.key.verify(signature, content)
                case ec.EllipticCurvePublicKey():
                    self.key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
                case rsa.RSAPublicKey():
                    self.key.verify(signature, content, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


class Asserted(NamedTuple):
    """By which passkey, and what it says of whoever held it; one that says less proves nothing."""

    key: Passkey
    touched: Literal[True] = True
    verified: Literal[True] = True


def passkey_of_line(line: str) -> Passkey:
    """Read a line `ALGORITHM KEY CREDENTIAL`, as the register has it. Raises `PasskeyError`.

    ALGORITHM is ES256 (P-256), EdDSA (Ed25519) or RS256, KEY the SubjectPublicKeyInfo in base64 of DER, which browsers
    give as `getPublicKey()`, and CREDENTIAL the credential's id in base64url. Of each key one form is taken.
    """
    words = line.split(" ")
    if len(words) != 3:
        raise PasskeyError("write a passkey as its algorithm, its public key in base64 of DER, and its credential id")
    algorithm, public, credential = words
    try:
        der = b64decode(public, validate=True)
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise PasskeyError("its public key is no SubjectPublicKeyInfo in base64 of DER") from None
    taken = _of_algorithm(algorithm, key)
    if b64encode(_in_der(taken)).decode() != public:
        raise PasskeyError("its public key is not in the form that browsers give")
    if len(credential) > _MOST_CREDENTIAL:
        raise PasskeyError("its credential id is longer than 1,023 bytes")
    try:
        _bytes_of(credential)
    except ValueError:
        raise PasskeyError("its credential id is not in base64url") from None
    return Passkey(algorithm, taken, credential)


def _of_algorithm(algorithm: str, key: object) -> _Key:
    match algorithm, key:
        case "ES256", ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return key
        case "EdDSA", ed25519.Ed25519PublicKey():
            return key
        case "RS256", rsa.RSAPublicKey():
            if not _LEAST_BITS <= key.key_size <= _MOST_BITS:
                raise PasskeyError(f"an RSA key of {key.key_size} bits; from {_LEAST_BITS} to {_MOST_BITS} are taken")
            return key
        case _:
            raise PasskeyError("take ES256 with a key on P-256, EdDSA with one of Ed25519, or RS256 with one of RSA")


def _in_der(key: _Key) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class _Assertion(BaseModel):
    """What comes of `navigator.credentials.get`, each in base64url."""

    model_config = ConfigDict(extra="forbid", strict=True)

    credential: str = Field(alias="id", max_length=_MOST_CREDENTIAL)
    authenticator: str = Field(alias="authenticatorData", max_length=1400)
    client: str = Field(alias="clientDataJSON", max_length=2800)
    signature: str = Field(max_length=700)


class _TokenBinding(BaseModel):
    model_config = ConfigDict(strict=True)

    status: str


class _Client(BaseModel):
    """The browser's half (section 5.8.1). It may have more members, and some browsers see to it that it does."""

    model_config = ConfigDict(strict=True)

    type: str
    challenge: str
    origin: str
    cross_origin: bool = Field(default=False, alias="crossOrigin")
    token_binding: _TokenBinding | None = Field(default=None, alias="tokenBinding")


def verify(text: str, content: bytes, key: Passkey, site: RelyingParty) -> Asserted:
    """Whether `content` was asserted by this passkey for this site. Raises `SignatureError`.

    `text` is JSON of exactly `id`, `authenticatorData`, `clientDataJSON` and `signature`, in base64url without padding.
    """
    if len(text) > _MOST:
        raise SignatureError(f"it is longer than {_MOST} characters")
    try:
        sent = _Assertion.model_validate_json(text)
    except ValueError:
        raise SignatureError(
            "it is no assertion: write id, authenticatorData, clientDataJSON and signature, in JSON"
        ) from None
    if sent.credential != key.credential:
        raise SignatureError("it is by another passkey")
    client, data = _part(sent.client, "clientDataJSON"), _part(sent.authenticator, "authenticatorData")
    _look_at_client(client, sha256(content).digest(), site)
    _look_at_authenticator(data, site)
    if not key.has_signed(_part(sent.signature, "signature"), data + sha256(client).digest()):
        raise SignatureError("it is not signed by this passkey")
    return Asserted(key)


def _look_at_client(content: bytes, challenge: bytes, site: RelyingParty) -> None:
    try:
        client = _Client.model_validate_json(content)
    except ValueError:
        raise SignatureError("its clientDataJSON is not what a browser writes") from None
    if client.type != "webauthn.get":
        raise SignatureError("it was made for another purpose than to assert: its type is not webauthn.get")
    if client.challenge != _text_of(challenge):
        raise SignatureError("it is not over this claim")
    if client.origin not in site.origins:
        raise SignatureError("it was made on a page of another origin")
    if client.cross_origin:
        raise SignatureError("it was made on a page inside another site's")
    if client.token_binding is not None and client.token_binding.status == "present":
        raise SignatureError("it is bound to a connection by token binding, which is not spoken here")


def _look_at_authenticator(data: bytes, site: RelyingParty) -> None:
    """Extensions, of which none was asked for, are let be, as section 7.2 allows: they are signed, and nothing here
    reads them.
    """
    if len(data) < _PLAIN:
        raise SignatureError("its authenticatorData is too short")
    flags = data[32]
    if flags & _ATTESTED:
        raise SignatureError("its authenticatorData holds a new key, as of a registration")
    if bool(flags & _EXTENDED) != (len(data) > _PLAIN):
        raise SignatureError("its authenticatorData holds something else than its flags say")
    if data[:32] != sha256(site.rp_id.encode()).digest():
        raise SignatureError("it was made for another site's RP id")
    if not flags & _PRESENT:
        raise SignatureError("its passkey was not touched")
    if not flags & _VERIFIED:
        raise SignatureError("its passkey did not verify who held it: ask for user verification")


def _part(text: str, name: str) -> bytes:
    try:
        return _bytes_of(text)
    except ValueError:
        raise SignatureError(f"its {name} is not in base64url without padding") from None


def _bytes_of(text: str) -> bytes:
    """Base64url, in the one way in which it may be written. Raises `ValueError`."""
    found = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if not found or _text_of(found) != text:
        raise ValueError("not as an encoder writes it")
    return found


def _text_of(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
