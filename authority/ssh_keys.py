"""Public keys of OpenSSH, as they stand in `id_ed25519.pub` and in a signature."""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from authority.wire import Reader, WireError

ED25519 = "ssh-ed25519"
P256 = "ecdsa-sha2-nistp256"
RSA = "ssh-rsa"
SK_ED25519 = "sk-ssh-ed25519@openssh.com"
SK_P256 = "sk-ecdsa-sha2-nistp256@openssh.com"

_RSA_SIGNATURE = "rsa-sha2-512"
_LEAST_BITS, _MOST_BITS = 3072, 16384
_CURVE = b"nistp256"

_Key = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class SshKeyError(ValueError):
    """A key that is not taken, and why."""


class SshKey(NamedTuple):
    """A public key: its kind, its bytes as SSH writes them, and for `sk-` keys which application it signs for."""

    kind: str
    blob: bytes
    key: _Key
    application: str = ""

    @property
    def on_token(self) -> bool:
        """Whether it lives on a hardware token, which says whether it was touched."""
        return self.kind in {SK_ED25519, SK_P256}

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it: `SHA256:…`."""
        return "SHA256:" + b64encode(sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def signature_kind(self) -> str:
        """What its signatures are called; of RSA those with SHA-512 alone are taken."""
        return _RSA_SIGNATURE if self.kind == RSA else self.kind

    def has_signed(self, signature: bytes, content: bytes) -> bool:
        """Whether a signature, as it stands behind its name in SSH's notation, is by this key over these bytes.

        Raises `WireError` where it is in no such notation.
        """
        try:
            match self.key:
                case ed25519.Ed25519PublicKey():
                    self.key.verify(signature, content)
                case ec.EllipticCurvePublicKey():
                    self.key.verify(_two_numbers(signature), content, ec.ECDSA(hashes.SHA256()))
                case rsa.RSAPublicKey():
                    self.key.verify(signature, content, padding.PKCS1v15(), hashes.SHA512())
        except InvalidSignature:
            return False
        return True


def _two_numbers(signature: bytes) -> bytes:
    reader = Reader(signature)
    found = encode_dss_signature(reader.whole_number(), reader.whole_number())
    reader.end()
    return found


def key_of_line(line: str) -> SshKey:
    """Read a line of `*.pub`: kind, base64, and a comment, which is left. Raises `SshKeyError`."""
    kind, _, rest = line.strip().partition(" ")
    try:
        key = key_of_blob(b64decode(rest.partition(" ")[0], validate=True))
    except Base64Error:
        raise SshKeyError("write a public key as its .pub file has it: kind, base64, comment") from None
    if key.kind != kind:
        raise SshKeyError(f"it says {kind!r} and is {key.kind}")
    return key


def key_of_blob(blob: bytes) -> SshKey:
    """Read a key in SSH's notation (RFC 4253, 5656, 8709; PROTOCOL.u2f of OpenSSH). Raises `SshKeyError`."""
    try:
        return _key_of(blob)
    except (WireError, ValueError) as error:
        raise SshKeyError(f"this is no public key that is taken: {error}") from None


def _key_of(blob: bytes) -> SshKey:
    reader, application = Reader(blob), ""
    kind = reader.name()
    key: _Key
    match kind:
        case "ssh-ed25519" | "sk-ssh-ed25519@openssh.com":
            key = _of_ed25519(reader)
        case "ecdsa-sha2-nistp256" | "sk-ecdsa-sha2-nistp256@openssh.com":
            key = _of_p256(reader)
        case "ssh-rsa":
            key = _of_rsa(reader)
        case _:
            raise WireError(f"its kind is {kind!r}; take {ED25519}, {P256}, {SK_ED25519}, {SK_P256} or RSA")
    if kind.startswith("sk-"):
        application = reader.name()
    reader.end()
    return SshKey(kind, blob, key, application)


def _of_ed25519(reader: Reader) -> ed25519.Ed25519PublicKey:
    return ed25519.Ed25519PublicKey.from_public_bytes(reader.string())


def _of_p256(reader: Reader) -> ec.EllipticCurvePublicKey:
    if reader.string() != _CURVE:
        raise WireError("its curve is not nistp256")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), reader.string())


def _of_rsa(reader: Reader) -> rsa.RSAPublicKey:
    exponent, modulus = reader.whole_number(), reader.whole_number()
    bits = modulus.bit_length()
    if not _LEAST_BITS <= bits <= _MOST_BITS:
        raise WireError(f"an RSA key of {bits} bits; from {_LEAST_BITS} bits on it is taken")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()
