"""Version and day of a review, written into a runbook's file as somebody would by hand: nothing else in it moves."""

import re
from datetime import date
from pathlib import Path

from starters.errors import RefusedError
from starters.files.yaml_lines import parse, read

_LINE = re.compile(r"""(?P<key>\w+:[ \t]*)(?:"[^"]*"|'[^']*'|[^#\s]*)(?P<rest>.*)""", re.DOTALL)
_WRITTEN = {"version": '"{}"', "reviewed": "{}"}


def approved(file: Path, version: str, reviewed: date) -> str:
    """The file's text with these two; `reviewed` comes behind `version` where there was none.

    Raises `RefusedError` where the two do not stand on lines of their own, and `InvalidFile`.
    """
    document = read(file)
    with file.open(encoding="utf-8", newline="") as stream:
        lines = stream.read().split("\n")
    said = {"version": version, "reviewed": reviewed.isoformat()}
    place = document.line(("version",)) - 1
    if "reviewed" in document.data:
        _put(lines, document.line(("reviewed",)) - 1, "reviewed", said["reviewed"])
    else:
        lines.insert(place + 1, f"reviewed: {said['reviewed']}" + ("\r" if lines[place].endswith("\r") else ""))
    _put(lines, place, "version", said["version"])
    text = "\n".join(lines)
    now = parse(text, file).data
    if {**now, "reviewed": str(now.get("reviewed"))} != {**document.data, **said}:
        raise RefusedError(f"{file}: version and reviewed must stand on lines of their own to be written by a program")
    return text


def _put(lines: list[str], place: int, key: str, value: str) -> None:
    """Give the key on this line another value; what follows on the line stays."""
    if (found := _LINE.fullmatch(lines[place])) and found["key"].startswith(key):
        lines[place] = f"{found['key']}{_WRITTEN[key].format(value)}{found['rest']}"
