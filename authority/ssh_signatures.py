"""Signatures that `ssh-keygen -Y sign` makes (PROTOCOL.sshsig of OpenSSH), verified without it.

Unlike `ssh-keygen -Y verify` this asks a hardware key whether it was touched.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import sha256, sha512
from typing import NamedTuple

from authority.ssh_keys import SshKey, SshKeyError, key_of_blob
from authority.wire import Reader, WireError, string

NAMESPACE = "incident-claim"
"""So that what somebody has signed for another purpose, a commit or a file, is no claim."""

_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC, _VERSION = b"SSHSIG", 1
_HASHES = {"sha512": sha512, "sha256": sha256}
_MOST = 8192
"""Characters: a signature by RSA of 16,384 bits has half of them."""
_TOUCHED, _VERIFIED = 0x01, 0x04
"""Of the flags of an authenticator (WebAuthn, section 6.1)."""


class SignatureError(ValueError):
    """A signature that proves nothing, and why; it repeats nothing of it."""


class Signed(NamedTuple):
    """By which key, and what its token says of whoever held it: None of a key that lies in a file or an agent."""

    key: SshKey
    touched: bool | None = None
    verified: bool | None = None


def verify(armoured: str, content: bytes, key: SshKey) -> Signed:
    """Whether `content` was signed by this key in the namespace of claims. Raises `SignatureError`.

    A token that was not touched proves nothing; whether it has also verified its holder (a PIN, a finger) is told.
    """
    try:
        return _verified(_unarmoured(armoured), content, key)
    except (WireError, SshKeyError) as error:
        raise SignatureError(f"it is no signature by ssh-keygen: {error}") from None


def _unarmoured(armoured: str) -> bytes:
    lines = armoured.strip().splitlines() if len(armoured) <= _MOST else []
    if len(lines) < 3 or (lines[0], lines[-1]) != (_BEGIN, _END):
        raise WireError(f"it has to stand between {_BEGIN} and {_END}")
    text = "".join(lines[1:-1])
    try:
        blob = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise WireError("it is not in base64") from None
    if b64encode(blob).decode() != text:
        raise WireError("its base64 is not what an encoder writes")
    return blob


def _verified(blob: bytes, content: bytes, key: SshKey) -> Signed:
    reader = Reader(blob)
    if reader.take(len(_MAGIC)) != _MAGIC or reader.number() != _VERSION:
        raise WireError("it does not begin like one")
    by, namespace, reserved, hashed = key_of_blob(reader.string()), reader.name(), reader.string(), reader.name()
    signature = Reader(reader.string())
    reader.end()
    if by.blob != key.blob:
        raise SignatureError(f"it is by another key: {by.fingerprint}")
    if namespace != NAMESPACE:
        raise SignatureError(f"it was made for another purpose: sign with -n {NAMESPACE}")
    if hashed not in _HASHES:
        raise SignatureError("its hash is neither SHA-512 nor SHA-256")
    digest = _HASHES[hashed](content).digest()
    signed = _MAGIC + b"".join(string(one) for one in (NAMESPACE.encode(), reserved, hashed.encode(), digest))
    if signature.name() != key.signature_kind:
        raise SignatureError(f"a key of its kind signs by {key.signature_kind}")
    made = signature.string()
    if not key.on_token:
        signature.end()
        return _held(key.has_signed(made, signed), Signed(key))
    flags, counter = signature.take(1), signature.take(4)
    signature.end()
    asserted = sha256(key.application.encode()).digest() + flags + counter + sha256(signed).digest()
    found = _held(
        key.has_signed(made, asserted),
        Signed(key, touched=bool(flags[0] & _TOUCHED), verified=bool(flags[0] & _VERIFIED)),
    )
    if not found.touched:
        raise SignatureError("its token was not touched")
    return found


def _held(holds: bool, signed: Signed) -> Signed:
    if not holds:
        raise SignatureError("it is not over this claim")
    return signed
