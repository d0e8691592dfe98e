"""Signing a claim: by the system's own `ssh-keygen`, so that keys stay in files, agents and tokens."""

import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

from activities import local_files
from authority.claims import Act, Claim
from authority.proofs import Proof
from authority.register import Register, RegisteredKey
from authority.ssh_keys import SshKeyError, key_of_line
from authority.ssh_signatures import NAMESPACE
from starters.errors import RefusedError
from starters.options import BY_AWS

_PROGRAM = "ssh-keygen"
_NO_AGENT = 2
"""What `ssh-add` exits with when it cannot reach one (ssh-add(1), EXIT STATUS)."""


def proof_of(claim: Claim, register: Register, key: Path | None, now: datetime) -> Proof:
    """Sign with the key of this file, private or public, or with whichever of the claimant's keys the agent has.

    So it can be checked for ever. Of a public key the agent has to hold the other half. Raises `RefusedError`.
    """
    if key == BY_AWS:
        raise RefusedError("AWS knows a signature for minutes, and this one is checked for years: sign with an SSH key")
    if key is not None:
        return Proof(method="ssh", key=_fingerprint(key), signature=_signed(claim, key))
    good = [one for one in register.of(claim.by) if one.method == "ssh" and one.proves_at(now)]
    if not good:
        raise RefusedError(
            f"{claim.by} has no key that is good now: somebody who may enrol has to enter one{_who(register, now)}"
        )
    if claim.act is Act.BREAK_GLASS:  # the hands take no key in a file of whoever has one on a token
        good = [one for one in good if one.on_token] or good
    held = _in_agent()
    if held is None:
        raise RefusedError("no SSH agent answers: start one (ssh-agent), or give --sign-with FILE")
    chosen = next((one for one in good if one.name in held), None)
    if chosen is None:
        names = " or ".join(one.name for one in good)
        raise RefusedError(f"the agent does not hold {names}: add it (ssh-add), or give --sign-with FILE")
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "key.pub"
        local_files.write(file, f"{chosen.public}\n".encode())
        return Proof(method="ssh", key=chosen.name, signature=_signed(claim, file))


def public_key(file: Path) -> str:
    """The line of a public key, of its own file or of that beside a private one. Raises `RefusedError`."""
    named = file if file.suffix == ".pub" else file.with_name(f"{file.name}.pub")
    try:
        line = named.read_text(encoding="utf-8").strip()
        key_of_line(line)
    except FileNotFoundError as error:
        raise RefusedError(f"{named} is not there, and the public key is needed: ssh-keygen -y -f {file}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"{named} is no file with a public key, such as ~/.ssh/id_ed25519.pub") from error
    except SshKeyError as error:
        raise RefusedError(f"{named}: {error}") from error
    return line


def own_key(register: Register, name: str) -> RegisteredKey:
    """The key of a fingerprint, or of any unique ending of one. Raises `RefusedError`."""
    found = [key for key in register if key.name == name or (len(name) > 3 and key.name.endswith(name))]
    if len(found) != 1:
        many = ", ".join(key.name for key in found)
        raise RefusedError(f"{name} fits {many}" if found else f"no key {name}: incident identity list shows all")
    return found[0]


def _fingerprint(key: Path) -> str:
    return key_of_line(public_key(key)).fingerprint


def _signed(claim: Claim, key: Path) -> str:
    """What it asks for, a touch or a passphrase, it asks for itself, in the terminal."""
    sign = [_PROGRAM, "-Y", "sign", "-q", "-f", str(key), "-n", NAMESPACE]
    try:
        done = subprocess.run(sign, input=claim.canonical(), stdout=subprocess.PIPE, check=False)  # noqa: S603 - a fixed program
    except FileNotFoundError as error:
        raise RefusedError(f"{_PROGRAM} is not installed: it comes with OpenSSH") from error
    if done.returncode:
        raise RefusedError(f"{_PROGRAM} did not sign with {key}: is its other half in the agent (ssh-add -l)?")
    return done.stdout.decode()


def _who(register: Register, now: datetime) -> str:
    who = dict.fromkeys(key.contact for key in register if key.enrols and key.proves_at(now))
    return f": {' or '.join(who)}" if who else ""


def _in_agent() -> str | None:
    """What the agent lists; None where none answers."""
    try:
        done = subprocess.run(["ssh-add", "-l"], capture_output=True, check=False)  # noqa: S607 - as the shell finds it
    except FileNotFoundError:
        return None
    return None if done.returncode == _NO_AGENT else done.stdout.decode(errors="replace")
