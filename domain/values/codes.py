"""One-time codes: sent to a person over a channel, said back to show that they arrived."""

import hashlib
import secrets

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without what is read wrongly: 0 and O, 1 and I."""
_LENGTH = 10
"""50 bits, too many to be tried against the digest on record, of which each trial costs as much as a sign-in."""


def new() -> str:
    """Make a code, such as `7QXKD-3MRFA`."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return f"{code[: _LENGTH // 2]}-{code[_LENGTH // 2 :]}"


def digest(code: str, about: str) -> str:
    """What of a code goes on record, in hex: its scrypt digest, salted with what it is about; case and dashes aside."""
    plain = code.upper().replace("-", "").replace(" ", "")
    return hashlib.scrypt(plain.encode(), salt=about.encode(), n=2**14, r=8, p=1, dklen=32).hex()


def about(incident: str, sequence: int | None) -> str:
    """What a code is about: the notice of an incident that sent it, by its number there."""
    return f"{incident}/{sequence}"
