"""What a review's owner signed off, written into a runbook's file as if by hand, and whether it still holds."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from domain.config.names import Flaw, mapping
from domain.values.canonical import digest
from starters.errors import RefusedError
from starters.files.yaml_lines import parse, read

_TEXT = r'"(?:[^"\\]|\\.)*"'
_LINE = re.compile(
    rf"""(?P<key>\w+:[ \t]*)(?:{_TEXT}|'[^']*'|\{{(?:{_TEXT}|[^}}"])*\}}|[^#\s]*)(?P<rest>.*)""", re.DOTALL
)
_WRITTEN = ("version", "reviewed", "approved")


def content(data: Mapping[str, Any]) -> str:
    """The SHA-256 of what an approval is of: a file's values, whatever its comments, without what approving writes."""
    return digest(to_jsonable_python({key: value for key, value in data.items() if key not in _WRITTEN}))


def of_runbook(data: Mapping[str, Any]) -> Iterator[Flaw]:
    """A file that says it is approved is what was approved."""
    approved = mapping(data.get("approved"))
    if approved and approved.get("sha256") != content(data):
        message = f"it was changed since {approved.get('by')} approved it: take that back, or leave approved out"
        yield Flaw(("approved",), f"{message} and have it reviewed (incident runbook approve writes it again)")


def approved(file: Path, version: str, reviewed: date, by: str) -> str:
    """The file's text with version, day and approval; what is new comes behind `version`.

    Raises `RefusedError` where they do not stand on lines of their own, and `InvalidFile`.
    """
    document = read(file)
    with file.open(encoding="utf-8", newline="") as stream:
        lines = stream.read().split("\n")
    sha256 = content(document.data)
    said = (f'"{version}"', reviewed.isoformat(), f"{{by: {json.dumps(by, ensure_ascii=False)}, sha256: {sha256}}}")
    place = document.line(("version",)) - 1
    new = []
    for key, value in zip(_WRITTEN, said, strict=True):
        if key in document.data:
            _put(lines, document.line((key,)) - 1, key, value)
        else:
            new.append(f"{key}: {value}" + ("\r" if lines[place].endswith("\r") else ""))
    text = "\n".join([*lines[: place + 1], *new, *lines[place + 1 :]])
    meant = {"version": version, "reviewed": reviewed.isoformat(), "approved": {"by": by, "sha256": sha256}}
    now = parse(text, file).data
    if {**now, "reviewed": str(now.get("reviewed"))} != {**document.data, **meant}:
        raise RefusedError(f"{file}: {', '.join(_WRITTEN)} must stand on lines of their own to be written by a program")
    return text


def _put(lines: list[str], place: int, key: str, value: str) -> None:
    """Give the key on this line another value; what follows on the line stays."""
    if (found := _LINE.fullmatch(lines[place])) and found["key"].startswith(key):
        lines[place] = f"{found['key']}{value}{found['rest']}"
