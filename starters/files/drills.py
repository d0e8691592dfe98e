"""`drills.yaml`: what an organisation drills, held against its runbooks, obligations and environments."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from domain.config.drill import Drills
from domain.config.names import Flaw, mapping, parts, strange
from domain.config.runbook import steps
from domain.config.schedule import MAINTENANCE, NO_MAINTENANCE
from starters.files import obligation_checks
from starters.files.organisation_folder import list_environments, list_runbooks, loaded
from starters.files.problems import InvalidFile
from starters.files.yaml_lines import Document, read

DRILLS = "drills.yaml"


def load_drills(folder: Path) -> Drills:
    """Read `drills.yaml`; an organisation without one has no scenarios. Raises `InvalidFile`."""
    file = Path(folder) / DRILLS
    if not file.exists():
        return Drills()
    document = read(file)
    return loaded(document, Drills, _flaws(document, Path(folder)))


def _flaws(document: Document, folder: Path) -> Iterator[Flaw]:
    """Names that lead nowhere: types, steps of their runbooks, facts and duties, faults of any environment."""
    types, faults = list_runbooks(folder), _faults(folder)
    owed = obligation_checks.known(folder / "obligations.yaml")
    for at, row in parts(document.data, "scenarios"):
        yield from strange((*at, "type"), row.get("type"), types, "incident type")
        yield from strange((*at, "fault"), row.get("fault"), faults, "fault of the environments")
        if row.get("fault") and MAINTENANCE not in types:
            yield Flaw((*at, "fault"), NO_MAINTENANCE)
        yield from strange((*at, "facts"), row.get("facts"), owed.facts, "fact of obligations.yaml")
        yield from strange((*at, "duties"), row.get("duties"), owed.obligations, "obligation of obligations.yaml")
        if row.get("type") in types:
            found = [step for _, step in steps(_data(folder / f"{row['type']}.yaml"))]
            for key, kind in (("findings", "probe"), ("right", "change"), ("harmful", "change")):
                known = {str(step.get("id")) for step in found if kind in step}
                yield from strange((*at, key), row.get(key), known, f"{kind} of {row['type']}.yaml")


def _faults(folder: Path) -> set[str]:
    """The faults that environments name, finished or not; one that cannot be read is reported by itself."""
    data = [_data(folder / "environments" / f"{name}.yaml") for name in list_environments(folder)]
    return {name for one in data if one.get("kind") != "production" for name in mapping(one.get("faults"))}


def _data(file: Path) -> dict[str, Any]:
    data: dict[str, Any] = {}
    with suppress(InvalidFile):
        data = read(file).data
    return data
