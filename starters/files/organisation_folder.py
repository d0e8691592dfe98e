"""An organisation's folder as models: `organisation.yaml`, who there is, and `environments/*.yaml`, where things are.

Every refusal is an `InvalidFile` that holds all that is wrong, each with file, line, key and remedy. What is there to
be done stands in `starters.files.loading`, which takes far longer to import: it knows every action.
"""

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from domain.config.environment import Environment
from domain.config.log_formats import RDS_PREFIX
from domain.config.organisation import Organisation
from starters.files import place_checks
from starters.files.model_problems import of_model, unknown
from starters.files.place_checks import NO_RUNBOOKS
from starters.files.problems import InvalidFile, Keys, Problem
from starters.files.yaml_lines import Document, read

ORGANISATION = "organisation.yaml"
_STAND_INS: dict[str, Any] = {
    "account": "000000000000",
    "max_connections": 1,
    "format": "json",
    "prefix": RDS_PREFIX,
    "zone": "UTC",
}
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
    document = read(Path(folder) / ORGANISATION)
    unfilled = place_checks.unfilled(document)
    return loaded(document, Organisation, [*unfilled.values(), *place_checks.of_organisation(document)])


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
        return loaded(document, Environment, wrong)
    if document.data.get("kind") == "production":
        wrong += place_checks.fictional_numbers(read(Path(folder) / ORGANISATION))
    return loaded(document, Environment, [*unfilled.values(), *wrong])


def loaded(document: Document, model: type[M], found: Iterable[Problem]) -> M:
    """Make the model, or refuse with everything: of the YAML, what was `found`, and what the model says beside it.

    What a rule over the whole file says is left out where something was found that says it more exactly.
    """
    problems = [*document.problems, *found]
    try:
        made = model.model_validate(document.data)
    except ValidationError as error:
        found_at = {problem.field for problem in problems}
        said = [problem for problem in of_model(document, model, error.errors()) if problem.field not in found_at]
        problems += [problem for problem in said if problem.field]
        raise InvalidFile(problems or said) from error
    if problems:
        raise InvalidFile(problems)
    return made


def _stand_in(data: Any, keys: Keys) -> None:
    """Replace the placeholder at `keys` where its type would refuse any text."""
    for key in keys[:-1]:
        data = data[key]
    data[keys[-1]] = _STAND_INS.get(str(keys[-1]), data[keys[-1]])
