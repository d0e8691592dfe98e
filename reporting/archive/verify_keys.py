"""The register of keys, and signatures by them: read here, and checked by `ssh-keygen`."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from reporting.archive.verify_claims import (
    UNREADABLE,
    UnknownError,
    WrongError,
    canonical,
    claimed,
    digest,
    in_time,
    instant,
)

NAMESPACE = "incident-claim"
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
TOUCHED, VERIFIED = 0x01, 0x04
"""Of the flags that a hardware key signs (WebAuthn, section 6.1)."""

HELD = " and has verified who held it"

NOT_GOOD = 255
"""What `ssh-keygen -Y verify` exits with where a signature is not good; where it knows no such option it is 1."""

KINDS = {
    "ssh-ed25519": "ssh-ed25519",
    "ecdsa-sha2-nistp256": "ecdsa-sha2-nistp256",
    "sk-ssh-ed25519@openssh.com": "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com": "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa": "rsa-sha2-512",
}
"""The keys that are taken, and what each calls its signatures."""

LEAST_BITS = 3072
"""Of RSA."""

PLAIN_NAME = re.compile(r"[A-Za-z0-9_.@+-]+")
"""A contact that `ssh-keygen` reads as a name, and not as a pattern."""


class Reader:
    """SSH's notation (RFC 4251, section 5): one value after the other."""

    def __init__(self, content: bytes) -> None:
        self.left = content

    def take(self, count: int) -> bytes:
        if count > len(self.left):
            raise WrongError("it ends too early")
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def string(self) -> bytes:
        return self.take(int.from_bytes(self.take(4), "big"))

    def end(self) -> None:
        if self.left:
            raise WrongError("something stands behind its end")


class Key(NamedTuple):
    """A key of the register, and from when until when it proves who its contact is. `public` as the register has it."""

    contact: str
    method: str
    public: str
    name: str
    enrols: bool
    since: datetime
    until: datetime | None = None

    def proves_at(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


def blob_of(public: str) -> bytes:
    """The bytes of a line of a `.pub` file. A kind that is not taken, or a short RSA key, is refused."""
    kind, _, rest = public.partition(" ")
    blob = base64.b64decode(rest.partition(" ")[0], validate=True)
    reader = Reader(blob)
    if reader.string() != kind.encode() or kind not in KINDS:
        raise WrongError(f"{kind} is no kind of key that is taken, or the key is of another")
    if kind == "ssh-rsa":
        reader.string()
        if int.from_bytes(reader.string(), "big").bit_length() < LEAST_BITS:
            raise WrongError("its RSA key is too short")
    return blob


def fingerprint_of(content: bytes) -> str:
    """As `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def name_of(method: str, public: str) -> str:
    """What a proof calls a key."""
    if method == "ssh":
        return fingerprint_of(blob_of(public))
    return fingerprint_of(base64.b64decode(public.split(" ")[1])) if method == "webauthn" else public


def unarmoured(text: str) -> bytes:
    lines = text.strip().splitlines()
    if len(lines) < 3 or (lines[0], lines[-1]) != (BEGIN, END):
        raise WrongError("its signature is none of ssh-keygen's")
    blob = base64.b64decode("".join(lines[1:-1]), validate=True)
    if base64.b64encode(blob).decode() != "".join(lines[1:-1]):
        raise WrongError("the base64 of its signature is not what an encoder writes")
    return blob


def signed_by(key: Key, armoured: str, message: bytes) -> str:
    """Check a signature, and say how it was made.

    `ssh-keygen` does not look whether a hardware key was touched, so the signature (PROTOCOL.sshsig) is read here.
    """
    blob, kind = unarmoured(armoured), key.public.partition(" ")[0]
    reader = Reader(blob)
    if reader.take(10) != b"SSHSIG\0\0\0\1":
        raise WrongError("its signature does not begin like one")
    by, namespace, _, hashed = reader.string(), reader.string(), reader.string(), reader.string()
    signature = Reader(reader.string())
    reader.end()
    if by != blob_of(key.public):
        raise WrongError("it is signed by another key")
    if namespace != NAMESPACE.encode():
        raise WrongError("it was signed for another purpose")
    if hashed not in {b"sha256", b"sha512"} or signature.string() != KINDS[kind].encode():
        raise WrongError("it is signed in a way that is not taken")
    signature.string()
    told = "by a key"
    if kind.startswith("sk-"):
        flags = signature.take(5)[0]
        if not flags & TOUCHED:
            raise WrongError("the hardware key that signed it was not touched")
        told = "by a hardware key that was touched" + (HELD if flags & VERIFIED else "")
    signature.end()
    if not is_good(key, blob, message):
        raise WrongError("its signature is not over this claim")
    return told


def is_good(key: Key, blob: bytes, message: bytes) -> bool:
    """Ask `ssh-keygen`, of OpenSSH 8.2 or newer."""
    kind, text, _ = f"{key.public} ".split(" ", 2)
    with tempfile.TemporaryDirectory() as scratch:
        signers, signature = Path(scratch, "signers"), Path(scratch, "signature")
        signers.write_text(f"who {kind} {text}\n", encoding="ascii")
        lines = base64.encodebytes(blob).decode("ascii")
        signature.write_text(f"{BEGIN}\n{lines}{END}\n", encoding="ascii")
        asked = ["-Y", "verify", "-f", str(signers), "-I", "who", "-n", NAMESPACE, "-s", str(signature)]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program
                ["ssh-keygen", *asked],  # noqa: S607 - as the shell finds it
                input=message,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        except OSError as error:
            raise UnknownError("ssh-keygen is not here, which checks signatures: install OpenSSH") from error
    if done.returncode not in {0, NOT_GOOD}:
        raise UnknownError("ssh-keygen checks no signatures here: install OpenSSH 8.2 or newer")
    return done.returncode == 0


def key_of(proof: dict[str, Any], by: str, keys: dict[str, Key], times: list[datetime]) -> Key:
    """The key that a proof names, if it is that of `by` and proves something at all of these times."""
    key = keys.get(proof["key"])
    if key is None or key.method != proof["method"]:
        raise WrongError(f"no key of the register is called {proof['key']}")
    if key.contact != by:
        raise WrongError(f"its key is {key.contact}'s, not {by}'s")
    if not all(key.proves_at(at) for at in times):
        raise WrongError(f"its key {key.name} did not prove anything at that time")
    return key


def register(identities: dict[str, Any]) -> dict[str, Key]:
    """The keys that a register comes to, each entry but the first signed by an earlier key that may enrol."""
    keys: dict[str, Key] = {}
    before = None
    for number, entry in enumerate(identities["entries"], start=1):
        try:
            if before is None:
                begun(entry)
            else:
                entered(entry, instant(before["at"]), identities["organisation"], keys)
            take(entry, keys)
            before = entry
        except (WrongError, UnknownError) as error:
            raise type(error)(f"entry {number} of the register: {error}") from error
        except UNREADABLE as error:
            raise WrongError(f"entry {number} of the register is not as entries are written") from error
    return keys


def begun(entry: dict[str, Any]) -> None:
    """Check that a register begins as one does: whoever owns it vouches for its first key."""
    if entry["act"] != "enrol" or entry["enrols"] is not True or entry["by"] != entry["contact"]:
        raise WrongError("the first enrols a key of whoever makes it, which may enrol others")
    if entry["proof"] is not None:
        raise WrongError("nothing can prove the first")


def entered(entry: dict[str, Any], before: datetime, organisation: str, keys: dict[str, Key]) -> None:
    """Check that an entry is signed by a key that may enrol, and no older than the one before it."""
    if instant(entry["at"]) < before:
        raise WrongError("it is older than the one before it")
    proof = entry["proof"]
    if proof is None:
        raise WrongError("nobody has signed it")
    at = instant(entry["at"])
    said = digest({name: value for name, value in entry.items() if name != "proof"})
    claim = {"v": 1, "organisation": organisation, "act": entry["act"], "subject": said, "nonce": said[:32]}
    claim.update({"environment": None, "incident": None, "step": None, "generation": None, "decision": ""})
    expires = f"{at + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    claim.update({"by": entry["by"], "at": entry["at"], "expires": expires})
    claimed(claim, {})
    in_time(claim, at)
    key = key_of(proof, entry["by"], keys, [at])
    if not key.enrols:
        raise WrongError(f"{key.name} of {key.contact} may not enrol or revoke")
    if key.method != "ssh":
        raise UnknownError(f"it is signed by {key.method}, which is not checked here")
    signed_by(key, proof["signature"], canonical(claim))


ENROLLED = {"act", "by", "at", "proof", "contact", "method", "public", "enrols"}
REVOKED = {"act", "by", "at", "proof", "key", "until"}


def take(entry: dict[str, Any], keys: dict[str, Key]) -> None:
    """Put an entry into the register, if it can follow what stands there."""
    if set(entry) != {"enrol": ENROLLED, "revoke": REVOKED}[entry["act"]]:
        raise WrongError("it has other fields than entries have")
    if entry["act"] == "enrol":
        name = name_of(entry["method"], entry["public"])
        if name in keys:
            raise WrongError(f"{name} was enrolled before")
        since, enrols = instant(entry["at"]), entry["enrols"] is True
        keys[name] = Key(entry["contact"], entry["method"], entry["public"], name, enrols, since)
        return
    key, until = keys[entry["key"]], instant(entry["until"])
    if until < key.since or (key.until is not None and until > key.until):
        raise WrongError(f"it gives {key.name} time back, or ends it before it began")
    keys[key.name] = key._replace(until=until)


def signers(keys: dict[str, Key]) -> str:
    """The register as `ssh-keygen -Y verify` reads it (ssh-keygen(1), ALLOWED SIGNERS)."""
    lines = []
    for key in keys.values():
        if key.method != "ssh" or key.until == key.since or not PLAIN_NAME.fullmatch(key.contact):
            lines.append(f"# {key.name} cannot stand here\n")
            continue
        kind, text, _ = f"{key.public} ".split(" ", 2)
        valid = f',valid-after="{key.since:%Y%m%d%H%M%S}Z"'
        if key.until is not None:  # ssh-keygen takes the last second too
            valid += f',valid-before="{key.until - timedelta(seconds=1):%Y%m%d%H%M%S}Z"'
        lines.append(f'{key.contact} namespaces="{NAMESPACE}"{valid} {kind} {text}\n')
    return "".join(lines)
