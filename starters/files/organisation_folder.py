"""An organisation's folder as models: `organisation.yaml`, who there is, `environments/*.yaml`, where things are, and
`schedules.yaml`, what is done when.

Every refusal is an `InvalidFile` that holds all that is wrong, each with file, line, key and remedy. What is there to
be done stands in `starters.files.loading`, which takes far longer to import: it knows every action.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from domain.config.environment import Environment
from domain.config.log_formats import RDS_PREFIX
from domain.config.names import ConfigFile, Flaw, Keys, ids, unknown
from domain.config.organisation import Organisation
from domain.config.schedule import Schedules
from starters.files import place_checks, schedule_checks
from starters.files.model_problems import of_model
from starters.files.place_checks import NO_RUNBOOKS
from starters.files.problems import InvalidFile, Problem
from starters.files.yaml_lines import Document, read

ORGANISATION = "organisation.yaml"
SCHEDULES = "schedules.yaml"
IDENTITIES = "identities.yaml"
APPROVALS = "approvals.yaml"
PREAUTHORISATIONS = "preauthorisations.yaml"
DELEGATIONS = "delegations.yaml"
_STAND_INS: dict[str, Any] = {
    "account": "000000000000",
    "addresses": "192.0.2.1",
    "max_connections": 1,
    "format": "json",
    "prefix": RDS_PREFIX,
    "resources": "sg-00000000",
    "zone": "UTC",
}
"""What a placeholder is read as where text would not do."""

M = TypeVar("M", bound=ConfigFile)


def list_runbooks(folder: Path) -> list[str]:
    """The incident types that a folder has a runbook for, sorted."""
    return sorted(file.stem for file in Path(folder).glob("*.yaml") if file.stem not in NO_RUNBOOKS)


def list_environments(folder: Path) -> list[str]:
    """The environments that a folder describes, finished or not, sorted."""
    return sorted(file.stem for file in (Path(folder) / "environments").glob("*.yaml"))


def load_organisation(folder: Path) -> Organisation:
    """Read `organisation.yaml`. Raises `InvalidFile`, for placeholders too."""
    document = read(Path(folder) / ORGANISATION)
    return loaded(document, Organisation, place_checks.of_organisation(document.data))


def load_environment(folder: Path, name: str, allow_placeholders: bool = False) -> Environment:
    """Read `environments/<name>.yaml`.

    Raises `InvalidFile`, for placeholders too, and for production also when the contacts have telephone
    numbers that nobody answers, or are to be called and there is no number to call from. `allow_placeholders`
    reads a file that is still to be filled in, to look at: its account reads as twelve zeros, which no worker serves.
    """
    known = list_environments(folder)
    if name not in known:
        raise InvalidFile([Problem(Path(folder) / "environments", None, "", unknown(name, known, "environment"))])
    document = read(Path(folder) / "environments" / f"{name}.yaml")
    if document.data.get("kind") == "production" and not allow_placeholders:
        people = read(Path(folder) / ORGANISATION)
        document.problems.extend(map(people.problem, place_checks.unreachable(people.data, document.data)))
    found = place_checks.of_environment(document.data, document.file)
    return loaded(document, Environment, found, allow_placeholders=allow_placeholders)


def load_schedules(folder: Path, timezone: str | None) -> Schedules:
    """Read `schedules.yaml` by the organisation's time zone, or by none where that is not known.

    An organisation without the file does nothing by the clock. Raises `InvalidFile`.
    """
    file = Path(folder) / SCHEDULES
    if not file.exists():
        return Schedules()
    document = read(file)
    known = list_runbooks(folder), _kinds(folder), _scenarios(folder)
    return loaded(document, Schedules, schedule_checks.of_schedules(document.data, timezone, *known))


def _kinds(folder: Path) -> dict[str, str]:
    """What kind each environment is, as far as its file can be read."""
    found = dict.fromkeys(list_environments(folder), "")
    for name in found:
        with suppress(InvalidFile):  # which is said of that file
            found[name] = str(read(folder / "environments" / f"{name}.yaml").data.get("kind"))
    return found


def _scenarios(folder: Path) -> frozenset[str]:
    """The ids of `drills.yaml`; none where there is no reading it, which is reported by itself."""
    with suppress(InvalidFile):
        return ids(read(Path(folder) / "drills.yaml").data, "scenarios")
    return frozenset()


def loaded(document: Document, model: type[M], found: Iterable[Flaw], *, allow_placeholders: bool = False) -> M:
    """Make the model, or refuse with everything: of the YAML, what was `found`, and what the model says beside it.

    Of a placeholder nothing else is said. What a rule over the whole file says is left out where something was found
    that says it more exactly.
    """
    blank = {flaw.at: flaw for flaw in place_checks.unfilled(document.data)}
    if allow_placeholders:
        for keys in blank:
            _stand_in(document.data, keys)
    wrong = [flaw for flaw in (*model.flaws(document.data), *found) if flaw.at not in blank]
    flaws = wrong if allow_placeholders else [*blank.values(), *wrong]
    problems = [*document.problems, *map(document.problem, flaws)]
    try:
        made = model.model_validate(document.data)
    except ValidationError as error:
        found_at = {problem.field for problem in problems}
        said = [document.problem(flaw) for flaw in of_model(model, error.errors())]
        problems += [problem for problem in said if problem.field and problem.field not in found_at]
        raise InvalidFile(problems or said) from error
    if problems:
        raise InvalidFile(problems)
    return made


def _stand_in(data: Any, keys: Keys) -> None:
    """Replace the placeholder at `keys` where its type would refuse any text."""
    for key in keys[:-1]:
        data = data[key]
    named = next(key for key in reversed(keys) if isinstance(key, str))  # of what stands in a list, the list's name
    data[keys[-1]] = _STAND_INS.get(named, data[keys[-1]])
