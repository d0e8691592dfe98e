"""What `verify.py` says of an unpacked archive or pack, to somebody who has Python, openssl and `ssh-keygen` alone."""

import hashlib
import subprocess
import sys
from collections.abc import Collection
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from types import CodeType
from unittest.mock import patch

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from reporting.archive import one_file


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


def proved_here(folder: Path, *named: str) -> tuple[bool, str]:
    """Whether the program finds it good, and what it says: run in this process, which takes a tenth of the time."""
    program: dict[str, object] = {"__name__": "verify"}
    exec(_compiled(), program)  # noqa: S102 - our own
    main = program["main"]
    assert callable(main)
    said = StringIO()
    with patch.object(sys, "argv", ["verify.py", str(folder), *named]), redirect_stdout(said):
        try:
            main()
        except SystemExit as ended:
            return False, f"{said.getvalue()}{ended}"
    return True, said.getvalue()


@cache
def _compiled() -> CodeType:
    return compile(one_file.script(), "verify.py", "exec")
