"""Keys for everybody of an organisation: enrolled in its folder, and held by one agent of the system's own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from authority.enrolment import Enrolled
from authority.proofs import Proof
from starters.files.identities import grown
from starters.files.organisation_folder import IDENTITIES, load_organisation
from tests.authority.signing import generated, public, signed
from tests.waiting import until


@contextmanager
def keyring(organisation: Path, folder: Path) -> Iterator[str]:
    """The socket of an agent that signs for each contact, until the block ends."""
    folder.mkdir()
    socket = folder / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL) as agent:
        until(socket.exists, "the agent is there")
        keys = _enrolled(organisation, folder)
        subprocess.run(["ssh-add", "-q", *map(str, keys)], env={"SSH_AUTH_SOCK": str(socket)}, check=True)
        yield str(socket)
        agent.terminate()


def _enrolled(organisation: Path, folder: Path) -> list[Path]:
    """Enter a key for each contact, the first of them vouching for the others."""
    known, now = load_organisation(organisation), datetime.now(UTC).replace(microsecond=0)
    keys: dict[str, Path] = {}
    for contact in known.contacts:
        (folder / contact.id).mkdir()
        keys[contact.id] = generated(folder / contact.id, "ed25519")
        line = keys[contact.id].with_name("ed25519.pub").read_text().strip()
        first = next(iter(keys))
        entry = Enrolled(by=first, at=now, contact=contact.id, method="ssh", public=line, enrols=contact.id == first)
        if contact.id != first:
            signature = signed(keys[first], entry.claim(known.id).canonical())
            proof = Proof(method="ssh", key=public(keys[first]).fingerprint, signature=signature)
            entry = entry.model_copy(update={"proof": proof})
        (organisation / IDENTITIES).write_text(grown(organisation, known.id, entry))
    return list(keys.values())
