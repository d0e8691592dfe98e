"""What an organisation's folder says is to be done, as models: one YAML an incident type, and `obligations.yaml`.

Every refusal is an `InvalidFile` that holds all that is wrong, each with file, line, key and remedy.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from domain.config.environment import Environment
from domain.config.names import unknown
from domain.config.obligation import Obligations
from domain.config.organisation import Organisation
from domain.config.rehearsal import Meant, MeantDifferences
from domain.config.reviews import overdue
from domain.config.runbook import Runbook
from starters.files import approval, obligation_checks, place_checks, runbook_checks
from starters.files.drills import DRILLS, load_drills
from starters.files.organisation_folder import (
    APPROVALS,
    DELEGATIONS,
    IDENTITIES,
    ORGANISATION,
    PREAUTHORISATIONS,
    SCHEDULES,
    list_environments,
    list_runbooks,
    load_environment,
    load_organisation,
    load_schedules,
    loaded,
)
from starters.files.problems import InvalidFile, Problem, in_order
from starters.files.yaml_lines import Document, read

_OBLIGATIONS = "obligations.yaml"
REHEARSAL = "rehearsal.yaml"
_UNCHECKED = "whoever-is-on-call"
"""Stands for the roles that an organisation's file would give, where that file is invalid."""


class MeantLine(NamedTuple):
    """A row of a file of differences that are meant, and where it stands."""

    file: Path
    line: int
    meant: Meant


def load_obligations(folder: Path, organisation: Organisation) -> Obligations:
    """Read `obligations.yaml`; an organisation without one owes nothing. Raises `InvalidFile`."""
    file = Path(folder) / _OBLIGATIONS
    return _load_obligations(file, organisation) if file.exists() else Obligations()


def load_meant(file: Path) -> list[MeantLine]:
    """Read a file of differences that are meant; without one there are none. Raises `InvalidFile`."""
    if not file.exists():
        return []
    document = read(file)
    rows = loaded(document, MeantDifferences, ()).meant
    return [MeantLine(file, document.line(("meant", number)), row) for number, row in enumerate(rows)]


def load_runbook(folder: Path, type: str, organisation: Organisation, environment: Environment) -> Runbook:  # noqa: A002
    """Read the runbook of an incident type, checked against who there is, where things are and what can be done.

    Raises `InvalidFile`; for an unknown type it names the known ones.
    """
    known = list_runbooks(folder)
    if type not in known:
        raise InvalidFile([Problem(Path(folder), None, "", unknown(type, known, "incident type"))])
    places = {environment.name: environment.model_dump()}
    owed = obligation_checks.known(Path(folder) / _OBLIGATIONS)
    return _load_runbook(read(Path(folder) / f"{type}.yaml"), organisation, places, owed)


def lint(path: Path) -> list[Problem]:
    """Check a file, an organisation's folder, or a folder of such folders; returns everything to mend.

    In a folder an environment that is still to be filled in is no problem, only unusable: its placeholders
    are reported when it is loaded, or linted by itself.
    """
    path = Path(path)
    if not path.exists():
        return [Problem(path, None, "", "is not there")]
    if path.is_file():
        return in_order(_lint_file(path))
    if (path / ORGANISATION).exists():
        return in_order(_lint_folder(path))
    inside = sorted(file.parent for file in path.glob(f"*/{ORGANISATION}"))
    if not inside:
        return [Problem(path, None, "", f"holds no {ORGANISATION}; write one")]
    return in_order(problem for folder in inside for problem in _lint_folder(folder))


def unfinished(path: Path) -> dict[Path, int]:
    """The environments of a folder, or of a folder of such folders, with placeholders: how many are left in each."""
    left: dict[Path, int] = {}
    for file in sorted([*path.glob("environments/*.yaml"), *path.glob("*/environments/*.yaml")]):
        with contextlib.suppress(InvalidFile):  # which `lint` reports
            left[file] = len(place_checks.unfilled(read(file).data))
    return {file: count for file, count in left.items() if count}


def folders(path: Path) -> list[Path]:
    """The organisations' folders that a path is, or holds."""
    return [path] if (path / ORGANISATION).exists() else sorted(at.parent for at in path.glob(f"*/{ORGANISATION}"))


def unreviewed(path: Path, today: date) -> dict[Path, date | None]:
    """The runbooks of a folder, or of a folder of such folders, whose review is overdue; with the day of the last."""
    found: dict[Path, date | None] = {}
    for file in (folder / f"{name}.yaml" for folder in folders(path) for name in list_runbooks(folder)):
        with contextlib.suppress(InvalidFile, ValueError):  # which `lint` reports
            said = read(file).data.get("reviewed")
            found[file] = None if said is None else date.fromisoformat(str(said))
    return {file: reviewed for file, reviewed in found.items() if overdue(reviewed, today)}


def _lint_folder(folder: Path) -> Iterator[Problem]:
    yield from _lint_file(folder / ORGANISATION)
    for optional in (IDENTITIES, APPROVALS, PREAUTHORISATIONS, DELEGATIONS, _OBLIGATIONS, SCHEDULES, REHEARSAL, DRILLS):
        if (folder / optional).exists():
            yield from _lint_file(folder / optional)
    for name in list_environments(folder):
        yield from _refused(partial(load_environment, folder, name, allow_placeholders=True))
    for name in list_runbooks(folder):
        yield from _lint_file(folder / f"{name}.yaml")


def _lint_file(file: Path) -> list[Problem]:
    if file.name == ORGANISATION:
        return _refused(partial(load_organisation, file.parent))
    if file.name == _OBLIGATIONS:
        of_file = _refused(lambda: _load_obligations(file, _organisation_if_valid(file.parent)))
        return [*of_file, *obligation_checks.templates(file)]
    if file.name == SCHEDULES:
        people = _organisation_if_valid(file.parent)
        return _refused(partial(load_schedules, file.parent, people.timezone if people else None))
    if file.name == IDENTITIES:
        from starters.files.identities import load_identities  # which alone needs the cryptography

        people = _organisation_if_valid(file.parent)
        return _refused(partial(load_identities, file.parent, people.id)) if people else []
    if file.name == APPROVALS:
        from starters.files.unapproved import load_signed

        people = _organisation_if_valid(file.parent)
        return _refused(partial(load_signed, file.parent, people.id)) if people else []
    if file.name == PREAUTHORISATIONS:
        from starters.files.unapproved import load_preauthorised

        people = _organisation_if_valid(file.parent)
        return _refused(partial(load_preauthorised, file.parent, people.id)) if people else []
    if file.name == DELEGATIONS:
        return _lint_delegations(file)
    if file.name == DRILLS:
        return _refused(partial(load_drills, file.parent))
    if file.name == REHEARSAL:
        return _refused(partial(load_meant, file))
    if file.parent.name == "environments":
        return _refused(partial(load_environment, file.parent.parent, file.stem))
    of_file = _refused(
        lambda: _load_runbook(
            read(file),
            _organisation_if_valid(file.parent),
            _places(file.parent),
            obligation_checks.known(file.parent / _OBLIGATIONS),
        )
    )
    return [*of_file, *obligation_checks.templates(file)]


def _lint_delegations(file: Path) -> list[Problem]:
    from starters.files import delegations  # which alone needs the cryptography

    people = _organisation_if_valid(file.parent)
    if people is None:
        return []
    try:
        return delegations.lint(file.parent, people, datetime.now(UTC))
    except InvalidFile as error:
        return error.problems


def _refused(load: Callable[[], object]) -> list[Problem]:
    try:
        load()
    except InvalidFile as error:
        return error.problems
    return []


def _organisation_if_valid(folder: Path) -> Organisation | None:
    """The organisation to check roles against, whatever else is to be mended in its file.

    None where there is no reading it; the reason is reported when that file is linted itself.
    """
    try:
        return loaded(read(folder / ORGANISATION), Organisation, (), allow_placeholders=True)
    except InvalidFile:
        return None


def _places(folder: Path) -> dict[str, Mapping[str, Any]]:
    """The values of every environment that can be read, finished or not: their logical names are known already."""
    places: dict[str, Mapping[str, Any]] = {}
    for name in list_environments(folder):
        with contextlib.suppress(InvalidFile):
            places[name] = read(folder / "environments" / f"{name}.yaml").data
    return places


def _load_runbook(
    document: Document,
    organisation: Organisation | None,
    places: Mapping[str, Mapping[str, Any]],
    owed: obligation_checks.Known,
) -> Runbook:
    on_call = organisation.on_call if organisation else (_UNCHECKED,)
    of_approval = list(approval.of_runbook(document.data))
    document.data.setdefault("on_call", [*on_call])
    of_itself = runbook_checks.of_runbook(document, organisation, places)
    of_duties = obligation_checks.of_runbook(document.data, owed)
    return loaded(document, Runbook, [*of_approval, *of_itself, *of_duties])


def _load_obligations(file: Path, organisation: Organisation | None) -> Obligations:
    document = read(file)
    return loaded(document, Obligations, obligation_checks.of_obligations(document.data, organisation))
