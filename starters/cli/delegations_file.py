"""`delegations.yaml` while a command adds to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from authority.delegations import Entry, Withdrawal, claim, judged
from authority.proofs import UnprovenError, prove
from authority.register import Register
from domain.config.delegation import Delegation, doubt, doubt_of_end, twin
from domain.config.environment import Environment
from domain.config.organisation import Organisation
from starters.cli.output import write
from starters.client.signing import proof_of
from starters.errors import RefusedError
from starters.files.delegations import grown, has_room, load_delegations
from starters.files.growing import held
from starters.files.identities import load_identities
from starters.files.organisation_folder import DELEGATIONS
from starters.options import Options

E = TypeVar("E", Delegation, Withdrawal)


@contextmanager
def opened(
    options: Options, organisation: Organisation, environment: Environment, key: Path | None
) -> "Iterator[DelegationsFile]":
    """The file of the caller's folder, to which nobody else adds meanwhile; `key` signs. Raises `InvalidFile`."""
    with held(options.folder()):
        register = load_identities(options.folder(), organisation.id)
        yield DelegationsFile(options.folder(), organisation, register, environment.kind == "sandbox", key)


class DelegationsFile:
    """What stands in it, what of that counts, and what is added at its end."""

    def __init__(
        self, folder: Path, organisation: Organisation, register: Register, sandbox: bool, key: Path | None
    ) -> None:
        self.path = folder / DELEGATIONS
        self._folder, self._organisation, self._register = folder, organisation, register
        self._sandbox, self._key = sandbox, key
        entries = load_delegations(folder, organisation.id, register)
        found = judged(entries, organisation, register, unsigned=sandbox)
        self._all = [one.delegation for one in found]
        self._known = [one.delegation for one in found if one.why is None]

    def standing(self, one: Delegation, *, whenever: bool) -> Delegation | None:
        """One that says the same and is not over, so that it is only told again; `whenever` it began."""
        for known in self._known:
            same = (known.role, known.to, known.until, known.reason, known.by)
            if same == (one.role, one.to, one.until, one.reason, one.by) and one.at < known.ends:
                return known if whenever or known.since == one.since else None
        return None

    def add_delegation(self, one: Delegation, now: datetime) -> Delegation:
        """Sign it and write it. Raises `RefusedError` where it would count for nothing."""
        if (why := doubt(self._organisation, one)) is not None:
            raise RefusedError(why)
        if (other := twin(one, self._known)) is not None:
            raise RefusedError(
                f"{one.to} already stands in as {one.role} during that time, by {other.id}: end that first"
            )
        made = self._signed(one)
        if not has_room([*self._known, made], now):
            raise RefusedError("as many stand in already as a declaration has room for: end one first")
        self._write(made)
        return made

    def found(self, name: str) -> Delegation:
        """The delegation of an id, or of its beginning, whether it counts or not. Raises `RefusedError`."""
        found = [one for one in self._all if one.id.startswith(name.lower())]
        if len(found) != 1:
            many = ", ".join(one.id for one in found)
            raise RefusedError(f"{name} fits {many}" if found else f"no delegation {name}: incident delegate list")
        return found[0]

    def add_end(self, one: Delegation, by: str, reason: str, now: datetime) -> None:
        """Sign that it ends, and write it. Raises `RefusedError` where it is over, or they may not."""
        if one.until <= now:
            raise RefusedError(f"{one.id} is over already")
        if (why := doubt_of_end(self._organisation, by, one)) is not None:
            raise RefusedError(why)
        self._write(self._signed(Withdrawal(ends=one.id, reason=reason, by=by, at=now)))

    def _signed(self, entry: E) -> E:
        """In a sandbox nobody has to sign: without a key it is written unsigned."""
        if self._sandbox and self._key is None:
            return entry
        said = claim(entry, self._organisation.id)
        proof = proof_of(said, self._register, self._key, entry.at)
        try:
            prove(said, proof, self._register, entry.at)
        except UnprovenError as error:
            raise RefusedError(f"{entry.by} is not proven: {error}") from error
        return entry.model_copy(update={"proof": proof.model_dump(mode="json")})

    def _write(self, entry: Entry) -> None:
        text = grown(self._folder, self._organisation.id, self._register, entry)
        write(self.path, text.encode(), keep_mode=True)
