"""What stored incidents are rehearsed against: today's files of an organisation, and where in them a value stands."""

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from domain.config.names import Keys
from domain.config.schedule import MADE
from domain.model.declaration import Declaration
from domain.rehearsal.documents import NOTHING, ORDER, PHASE, Documents, Leaf
from domain.values.durations import spoken
from starters.files.declarable import declarable
from starters.files.holidays import calendar
from starters.files.loading import load_obligations
from starters.files.organisation_folder import ORGANISATION, list_runbooks, load_environment, load_organisation
from starters.files.yaml_lines import Document, read

_ISO = re.compile(r"-?P[0-9DTHMS.]+")
_TEXT_MAX = 80


class Today:
    """An organisation's folder as it is now; each file is read once.

    Without an `environment`, that of each incident's declaration counts.
    """

    def __init__(self, folder: Path, environment: str | None = None) -> None:
        self._folder = folder
        self._environment = environment
        self._types = set(list_runbooks(folder))
        self._documents: dict[tuple[str, str, int], Documents] = {}
        self._files: dict[Path, Document] = {}

    def documents(self, declaration: Declaration) -> Documents | None:
        """What an incident of this type would be declared by; None where there is no runbook of its type any more.

        A runbook that the program made is in no file, and stays as it was made. Raises `InvalidFile`, and
        `RefusedError` for a place without a calendar of public holidays.
        """
        type_, environment = declaration.runbook.id, self._environment or declaration.environment.name
        if type_ in MADE:
            return self._around(declaration, environment)
        if type_ not in self._types:
            return None
        asked = (type_, environment, declaration.declared_at.year)
        if asked not in self._documents:
            found = declarable(self._folder, type_, environment, declaration.declared_at)
            self._documents[asked] = Documents.model_validate({name: found[name] for name in Documents.model_fields})
        return self._documents[asked]

    def _around(self, declaration: Declaration, environment: str) -> Documents:
        """Everything but the runbook."""
        organisation = load_organisation(self._folder)
        return Documents.of(declaration).model_copy(
            update={
                "organisation": organisation,
                "environment": load_environment(self._folder, environment),
                "obligations": load_obligations(self._folder, organisation),
                "calendar": calendar(organisation, declaration.declared_at),
            }
        )

    def because(self, declaration: Declaration, leaves: Sequence[Leaf]) -> str:
        """The lines that hold these values, and what they say now and said then."""
        return "; ".join(self._said(declaration, leaf) for leaf in leaves)

    def _said(self, declaration: Declaration, leaf: Leaf) -> str:
        part, *way = leaf.path
        if part == "calendar":
            return f"the calendar of public holidays: {_value(leaf.would_be)} instead of {_value(leaf.was)}"
        names = {
            "organisation": ORGANISATION,
            "environment": f"environments/{self._environment or declaration.environment.name}.yaml",
            "runbook": f"{declaration.runbook.id}.yaml",
            "obligations": "obligations.yaml",
        }
        name = f"{way.pop(0)}.yaml" if part == "related" else names[str(part)]
        if way == ["on_call"] and "on_call" not in self._read(name).data:
            name = ORGANISATION  # what it says holds where a runbook is silent
        line = self._line(name, _in_the_file(way, leaf))
        written = ".".join(str(key).removeprefix("#") for key in way)
        return f"{name}:{line} {written}: {_changed(leaf)}"

    def _read(self, name: str) -> Document:
        file = self._folder / name
        if file not in self._files:
            self._files[file] = read(file) if file.exists() else Document(file, {}, {}, [])
        return self._files[file]

    def _line(self, name: str, way: Sequence[str | int]) -> int:
        document = self._read(name)
        keys: Keys = ()
        value: Any = document.data
        if way and way[0] == "steps" and "phases" in document.data:
            keys, value = _steps(document.data).get(str(way[1]) if len(way) > 1 else "", (("phases",), None))
            way = way[2:]
        for key in way:
            at = _at(value, key)
            if at is None:
                break
            keys, value = (*keys, at), value[at]
        return document.line(keys)


def _in_the_file(way: Sequence[str | int], leaf: Leaf) -> list[str | int]:
    """The way without what stands in no file; what is gone is looked for where it stood."""
    if leaf.would_be is NOTHING and way[0] == "steps" and len(way) == 2 and isinstance(leaf.was, dict):
        return ["phases", leaf.was[PHASE]]
    return [key for key in way if key not in (ORDER, PHASE)]


def _steps(data: Any) -> dict[str, tuple[Keys, Any]]:
    """Every step of a runbook by its id, with its keys."""
    phases = data.get("phases") if isinstance(data.get("phases"), list) else []
    return {
        str(step["id"]): (("phases", at, "steps", number), step)
        for at, phase in enumerate(phases)
        for number, step in enumerate(phase.get("steps") or [])
    }


def _at(value: Any, key: str | int) -> str | int | None:
    """Where something stands in a value: under its key, by its position, or by its id; None where it does not."""
    if isinstance(value, dict):
        return key if key in value else None
    if not isinstance(value, list):
        return None
    if isinstance(key, int):
        return key if key < len(value) else None
    return next((at for at, one in enumerate(value) if isinstance(one, dict) and one.get("id") == key), None)


def _changed(leaf: Leaf) -> str:
    if leaf.was is NOTHING and isinstance(leaf.would_be, dict):
        return "is new"
    if leaf.would_be is NOTHING and isinstance(leaf.was, dict):
        return "is gone"
    return f"{_value(leaf.would_be)} instead of {_value(leaf.was)}"


def _value(value: Any) -> str:
    """A value as people write it."""
    if value in (None, NOTHING, [], {}, ""):
        return "nothing"
    if isinstance(value, str) and _ISO.fullmatch(value):
        return spoken(TypeAdapter(timedelta).validate_python(value))
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        text = ", ".join(value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _TEXT_MAX else f"{text[: _TEXT_MAX - 1]}…"
