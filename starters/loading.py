"""An organisation's folder as models: `organisation.yaml`, `environments/*.yaml`, one YAML an incident type.

Every refusal is an `InvalidFile` that holds all that is wrong, each with file, line, key and remedy.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from domain.environment import Environment
from domain.obligation import Obligations
from domain.organisation import Organisation
from domain.runbook import Runbook
from starters import obligation_checks, place_checks, runbook_checks
from starters.model_problems import of_model, unknown
from starters.place_checks import NO_RUNBOOKS
from starters.problems import InvalidFile, Keys, Problem, in_order
from starters.runbook_schema import runbook_schema
from starters.yaml_lines import Document, read

__all__ = [
    "InvalidFile",
    "Problem",
    "lint",
    "list_environments",
    "list_runbooks",
    "load_environment",
    "load_obligations",
    "load_organisation",
    "load_runbook",
    "schema",
    "shipped_folder",
]

_ORGANISATION = "organisation.yaml"
_OBLIGATIONS = "obligations.yaml"
_STAND_INS: dict[str, Any] = {"account": "000000000000", "max_connections": 1}
"""What a placeholder is read as where text would not do."""

M = TypeVar("M", bound=BaseModel)


def shipped_folder() -> Path:
    """The folder of the organisation that comes with the program."""
    return Path(str(resources.files("runbooks"))) / "axis-imaging"


def list_runbooks(folder: Path) -> list[str]:
    """The incident types that a folder has a runbook for, sorted."""
    return sorted(file.stem for file in Path(folder).glob("*.yaml") if file.stem not in NO_RUNBOOKS)


def list_environments(folder: Path) -> list[str]:
    """The environments that a folder describes, finished or not, sorted."""
    return sorted(file.stem for file in (Path(folder) / "environments").glob("*.yaml"))


def load_organisation(folder: Path) -> Organisation:
    """Read `organisation.yaml`. Raises `InvalidFile`, for placeholders too."""
    document = read(Path(folder) / _ORGANISATION)
    unfilled = place_checks.unfilled(document)
    return _load(document, Organisation, [*unfilled.values(), *place_checks.of_organisation(document)])


def load_obligations(folder: Path, organisation: Organisation) -> Obligations:
    """Read `obligations.yaml`; an organisation without one owes nothing. Raises `InvalidFile`."""
    file = Path(folder) / _OBLIGATIONS
    return _load_obligations(file, organisation) if file.exists() else Obligations()


def load_environment(folder: Path, name: str, allow_placeholders: bool = False) -> Environment:
    """Read `environments/<name>.yaml`.

    Raises `InvalidFile`, for placeholders too, and for production also when the contacts have telephone
    numbers that nobody answers. `allow_placeholders` reads a file that is still to be filled in, for
    looking at: an account reads as twelve zeros, which no worker serves.
    """
    known = list_environments(folder)
    if name not in known:
        raise InvalidFile([Problem(Path(folder) / "environments", None, "", unknown(name, known, "environment"))])
    document = read(Path(folder) / "environments" / f"{name}.yaml")
    unfilled = place_checks.unfilled(document)
    wrong = [p for p in place_checks.of_environment(document) if p.field not in {u.field for u in unfilled.values()}]
    if allow_placeholders:
        for keys in unfilled:
            _stand_in(document.data, keys)
        return _load(document, Environment, wrong)
    if document.data.get("kind") == "production":
        wrong += place_checks.fictional_numbers(read(Path(folder) / _ORGANISATION))
    return _load(document, Environment, [*unfilled.values(), *wrong])


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
    are told when it is loaded, or linted by itself.
    """
    path = Path(path)
    if not path.exists():
        return [Problem(path, None, "", "is not there")]
    if path.is_file():
        return in_order(_lint_file(path))
    if (path / _ORGANISATION).exists():
        return in_order(_lint_folder(path))
    inside = sorted(file.parent for file in path.glob(f"*/{_ORGANISATION}"))
    if not inside:
        return [Problem(path, None, "", f"holds no {_ORGANISATION}; write one")]
    return in_order(problem for folder in inside for problem in _lint_folder(folder))


def schema() -> dict[str, Any]:
    """The JSON Schema of a runbook's file, for editors: every action by name, with its own parameters."""
    return runbook_schema()


def _lint_folder(folder: Path) -> Iterator[Problem]:
    yield from _lint_file(folder / _ORGANISATION)
    if (folder / _OBLIGATIONS).exists():
        yield from _lint_file(folder / _OBLIGATIONS)
    for name in list_environments(folder):
        yield from _refused(partial(load_environment, folder, name, allow_placeholders=True))
    for name in list_runbooks(folder):
        yield from _lint_file(folder / f"{name}.yaml")


def _lint_file(file: Path) -> list[Problem]:
    if file.name == _ORGANISATION:
        return _refused(partial(load_organisation, file.parent))
    if file.name == _OBLIGATIONS:
        return _refused(lambda: _load_obligations(file, _organisation_if_valid(file.parent)))
    if file.parent.name == "environments":
        return _refused(partial(load_environment, file.parent.parent, file.stem))
    return _refused(
        lambda: _load_runbook(
            read(file),
            _organisation_if_valid(file.parent),
            _places(file.parent),
            obligation_checks.known(file.parent / _OBLIGATIONS),
        )
    )


def _refused(load: Callable[[], object]) -> list[Problem]:
    try:
        load()
    except InvalidFile as error:
        return error.problems
    return []


def _organisation_if_valid(folder: Path) -> Organisation | None:
    """The organisation to check a runbook's roles against; one that is invalid tells so when it is linted itself."""
    try:
        return load_organisation(folder)
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
    found = [
        *place_checks.unfilled(document).values(),
        *runbook_checks.of_runbook(document, organisation, places),
        *obligation_checks.of_runbook(document, owed),
    ]
    return _load(document, Runbook, found)


def _load_obligations(file: Path, organisation: Organisation | None) -> Obligations:
    document = read(file)
    found = [
        *place_checks.unfilled(document).values(),
        *obligation_checks.of_obligations(document, organisation),
    ]
    return _load(document, Obligations, found)


def _load(document: Document, model: type[M], found: Iterable[Problem]) -> M:
    """Make the model, or refuse with everything: of the YAML, what was `found`, and what the model says beside it.

    A rule over the whole file is told only where nothing was found that says it more exactly.
    """
    problems = [*document.problems, *found]
    try:
        loaded = model.model_validate(document.data)
    except ValidationError as error:
        told = {problem.field for problem in problems}
        said = [problem for problem in of_model(document, model, error.errors()) if problem.field not in told]
        problems += [problem for problem in said if problem.field]
        raise InvalidFile(problems or said) from error
    if problems:
        raise InvalidFile(problems)
    return loaded


def _stand_in(data: Any, keys: Keys) -> None:
    """Replace the placeholder at `keys` where its type would refuse any text."""
    for key in keys[:-1]:
        data = data[key]
    data[keys[-1]] = _STAND_INS.get(str(keys[-1]), data[keys[-1]])
