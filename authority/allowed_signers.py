"""The register as `ssh-keygen -Y verify` reads it."""

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta

from authority.register import RegisteredKey
from authority.ssh_signatures import NAMESPACE

_PLAIN = re.compile(r"[A-Za-z0-9_.@+-]+")
"""A contact that `ssh-keygen` reads as a name, and not as a pattern."""


def allowed_signers(keys: Iterable[RegisteredKey]) -> str:
    """A line for each key (ssh-keygen(1), ALLOWED SIGNERS), good for claims alone, in its time alone (UTC).

    A passkey, an ARN, a key that was never good and one of a contact whose name is a pattern stand there as a comment.
    Times with a `Z` are read by OpenSSH 9.1 or newer.
    """
    return "".join(f"{line}\n" for line in _lines(keys))


def _lines(keys: Iterable[RegisteredKey]) -> Iterator[str]:
    for key in keys:
        if key.method != "ssh" or key.since == key.until or not _PLAIN.fullmatch(key.contact):
            yield f"# {key.name} cannot stand here"
            continue
        valid = f'valid-after="{key.since:%Y%m%d%H%M%S}Z"'
        if key.until is not None:  # ssh-keygen takes the last second too
            valid += f',valid-before="{key.until - timedelta(seconds=1):%Y%m%d%H%M%S}Z"'
        public = " ".join(key.public.split(" ")[:2])
        yield f'{key.contact} namespaces="{NAMESPACE}",{valid} {public}'
