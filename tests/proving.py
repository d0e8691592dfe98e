"""What `verify.py` says of an unpacked archive or pack, to somebody who has only Python and openssl."""

import hashlib
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key


def fingerprint(pem: str) -> str:
    """The SHA-256 of a public key's DER, in hex."""
    der = load_pem_public_key(pem.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def fingerprints(folder: Path) -> list[str]:
    """Of the keys that stand in a folder."""
    return sorted({fingerprint(key.read_text()) for key in folder.glob("public-key*.pem")})


def proved(folder: Path, trusted: Collection[str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the folder's own program with the keys of these fingerprints, or with all that stand there, as trusted."""
    prints = fingerprints(folder) if trusted is None else trusted
    command = [sys.executable, "-I", "-S", str(folder / "verify.py"), str(folder), *prints]
    return subprocess.run(command, capture_output=True, text=True, check=False)
