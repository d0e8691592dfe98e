"""Organisations beside the shipped one: the example, Blue Harbour Ferries, and copies with something otherwise."""

from pathlib import Path

import runbooks
from starters.files.shipped import shipped_folder

HARBOUR = Path(runbooks.__path__[0]) / "example"
RUNBOOK = "timetable-down.yaml"


def written(folder: Path, changed: dict[str, tuple[str, str]] | None = None, *, source: Path = HARBOUR) -> Path:
    """Copy an organisation; `changed` maps a file to what is replaced in it, and by what. Returns the copy."""
    changes = dict(changed or {})
    for file in (file for kind in ("*.yaml", "templates/*") for file in source.rglob(kind)):
        name = str(file.relative_to(source))
        text = file.read_text(encoding="utf-8")
        if name in changes:
            old, new = changes.pop(name)
            assert text.count(old) == 1, f"{old!r} must stand once in {name}, not {text.count(old)} times"
            text = text.replace(old, new)
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, encoding="utf-8")
    assert not changes, f"there is no {', '.join(changes)} in {source}"
    return folder


def without_cto(folder: Path) -> Path:
    """A copy of the shipped organisation whose CTO's role has another name, which no other file has heard of."""
    organisation = (shipped_folder() / "organisation.yaml").read_text(encoding="utf-8")
    renamed = organisation.replace("roles: [cto]\n", "roles: [chief-engineer]\n")
    renamed = renamed.replace("chain: [technical-manager, cto, ceo]", "chain: [technical-manager, chief-engineer, ceo]")
    return written(folder, {"organisation.yaml": (organisation, renamed)}, source=shipped_folder())
