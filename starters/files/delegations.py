"""`delegations.yaml`: who stands in for which role and until when, read with every signature checked."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from authority.delegations import DelegationError, Delegations, Entry, Judged, counting, judged, refuse_unproven
from authority.register import Register
from domain.config.delegation import Delegation, twin
from domain.config.names import Flaw
from domain.config.organisation import Organisation
from domain.values import limits
from starters.files import growing
from starters.files.identities import load_identities
from starters.files.organisation_folder import DELEGATIONS, load_organisation, loaded
from starters.files.problems import InvalidFile, Problem
from starters.files.yaml_lines import Document, read

_HEAD = """\
# Who stands in for which role, from when until when. `incident delegate` writes it: entries are only added, at the end,
# each signed. Change none of them: end one early by another entry (incident delegate end).
delegations:
"""


def load_delegations(folder: Path, organisation: str, register: Register) -> tuple[Entry, ...]:
    """The entries of an organisation's folder; without the file nobody stands in. Raises `InvalidFile`.

    Each that is signed was made by a key of the register. Which of them count is for `authority.delegations` to say.
    """
    file = Path(folder) / DELEGATIONS
    return _taken(organisation, register, read(file)) if file.exists() else ()


def known(folder: Path, *, unsigned: bool) -> tuple[Delegation, ...]:
    """The delegations of a folder that count, by its own register and organisation; `unsigned` as in a sandbox.

    Raises `InvalidFile`.
    """
    if not (Path(folder) / DELEGATIONS).exists():
        return ()
    organisation = load_organisation(folder)
    register = load_identities(folder, organisation.id)
    return counting(load_delegations(folder, organisation.id, register), organisation, register, unsigned=unsigned)


def grown(folder: Path, organisation: str, register: Register, entry: Entry) -> str:
    """The file's text with one more entry at its end.

    Raises `InvalidFile` where it would not be taken, and what `growing.grown` raises.
    """
    said = entry.model_dump(mode="json", exclude={"ended"}, exclude_none=True)
    return growing.grown(Path(folder) / DELEGATIONS, _HEAD, said, partial(_taken, organisation, register))


def has_room(delegations: Sequence[Delegation], now: datetime) -> bool:
    """Whether those that are not over by now fit into a declaration."""
    return limits.size([one.model_dump(mode="json") for one in delegations if one.ends > now]) <= limits.DELEGATIONS


def lint(folder: Path, organisation: Organisation, now: datetime, *, unsigned: bool = True) -> list[Problem]:
    """What keeps entries that are not over by now from counting; `unsigned` ones do so in a sandbox.

    Raises `InvalidFile` where it cannot be read.
    """
    try:
        register = load_identities(folder, organisation.id)
    except InvalidFile:
        return []  # which is said of that file
    if not (Path(folder) / DELEGATIONS).exists():
        return []
    document = read(Path(folder) / DELEGATIONS)
    entries = _taken(organisation.id, register, document)
    found = judged(entries, organisation, register, unsigned=unsigned)
    return [document.problem(flaw) for flaw in _idle(found, now)]


def _idle(found: Sequence[Judged], now: datetime) -> Iterator[Flaw]:
    """Delegations that are not over and count for nothing, or overlap with another that counts."""
    open_ = list[Delegation]()
    for position, one, why in found:
        if one.ends <= now:
            continue
        at: tuple[str | int, ...] = ("delegations", position)
        end = "incident delegate end"
        if why is not None:
            yield Flaw(at, f"{one.id} counts for nothing: {why}; end it: {end} {one.id}")
            continue
        if (other := twin(one, open_)) is not None:
            already = f"{one.to} already stands in as {one.role} during that time, by {other.id}"
            yield Flaw(at, f"{already}; end one of them: {end} {one.id}")
        open_.append(one)


def _taken(organisation: str, register: Register, document: Document) -> tuple[Entry, ...]:
    entries = loaded(document, Delegations, ()).delegations
    try:
        refuse_unproven(entries, organisation, register)
    except DelegationError as error:
        flaw = Flaw(("delegations", error.position), str(error))
        raise InvalidFile([document.problem(flaw)]) from error
    return entries
