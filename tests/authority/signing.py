"""Those who sign: the system's own `ssh-keygen`, and hardware tokens made in software."""

import subprocess
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256, sha512
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authority.ssh_keys import SK_ED25519, SK_P256, SshKey, key_of_blob, key_of_line
from authority.ssh_signatures import NAMESPACE
from authority.wire import string

APPLICATION = "ssh:"
TOUCHED, TOUCHED_AND_VERIFIED = 0x01, 0x05


def generated(folder: Path, kind: str, bits: int = 0) -> Path:
    """A key in a file, with its public half beside it."""
    made = folder / f"{kind}{bits or ''}"
    size = ["-b", str(bits)] if bits else []
    run = ["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "a responder", "-f", str(made)]
    subprocess.run(run, check=True, stdin=subprocess.DEVNULL)
    return made


def public(file: Path) -> SshKey:
    return key_of_line(file.with_name(f"{file.name}.pub").read_text())


def signed(file: Path, content: bytes, namespace: str = NAMESPACE, *options: str) -> str:
    """What `ssh-keygen -Y sign` makes of it."""
    run = ["ssh-keygen", "-Y", "sign", "-q", *options, "-f", str(file), "-n", namespace]
    return subprocess.run(run, check=True, input=content, capture_output=True).stdout.decode()


class Token:
    """A hardware key: its flags say whether it was touched, and whether it has verified who holds it."""

    def __init__(self, kind: str, application: str = APPLICATION) -> None:
        self._application = application
        self._sign: Callable[[bytes], bytes]
        if kind == SK_ED25519:
            held = ed25519.Ed25519PrivateKey.generate()
            self._sign = held.sign
            point = string(held.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        else:
            assert kind == SK_P256
            key = ec.generate_private_key(ec.SECP256R1())
            self._sign = lambda content: _numbers(key.sign(content, ec.ECDSA(hashes.SHA256())))
            point = string(b"nistp256") + string(
                key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            )
        self.key = key_of_blob(string(kind.encode()) + point + string(application.encode()))
        self.line = f"{kind} {b64encode(self.key.blob).decode()} a token"

    def signed(self, content: bytes, flags: int, counter: int = 7) -> str:
        head = b"SSHSIG"
        said = (NAMESPACE.encode(), b"", b"sha512")
        over = head + b"".join(string(one) for one in (*said, sha512(content).digest()))
        state = bytes([flags]) + counter.to_bytes(4, "big")
        made = self._sign(sha256(self._application.encode()).digest() + state + sha256(over).digest())
        signature = string(self.key.kind.encode()) + string(made) + state
        return armoured(head + bytes([0, 0, 0, 1]) + b"".join(map(string, (self.key.blob, *said, signature))))


def _numbers(signature: bytes) -> bytes:
    return b"".join(string(_mpint(one)) for one in decode_dss_signature(signature))


def _mpint(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def armoured(blob: bytes) -> str:
    text = b64encode(blob).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return "\n".join(("-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""))
