"""A line of a log by its declared format: its level, its fields and, where only the line knows it, its time.

One function reads one line: `read_line`. It never guesses: what the format does not fit is `Unread`, with the reason,
in which nothing of the line stands.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from domain.config.log_formats import DatabaseLog, LineFormat, LogFormat, as_python
from domain.rules import postgres_lines, tracebacks
from domain.rules.tracebacks import Part

_LEVELS = frozenset(
    (
        *("level", "lvl", "loglevel", "log_level", "levelname", "level_name", "levelno", "@l", "@level"),
        *("severity", "severity_text", "severitytext", "severity_number", "severitynumber"),
    )
)
"""What loggers call their level, whatever its case: who says it under another key than the declared one says it.

A key with dots, or within others, is known by its last part.
"""
_PAIR = re.compile(r'(?:^|\s)([^\s="]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_NO_PAIRS = "not all of it is key=value, up to its level if it has one"


class Line(NamedTuple):
    """A line that was understood. `level` is as written, None for one that continues another; `error` judges it.

    `at` is set where the line carries its time, as a database's does. `part` is that of a traceback: a line that is not
    its first one counts where one has begun (`tracebacks.orphans`).
    """

    format: str
    level: str | None
    error: bool
    fields: Mapping[str, Any]
    at: datetime | None = None
    part: Part | None = None

    @property
    def belongs(self) -> bool:
        """Whether it is a line of a traceback only if one has begun."""
        return self.part in {Part.WITHIN, Part.LAST}


class Unread(NamedTuple):
    """A line that its format does not fit, and why."""

    why: str


def read_line(declared: LogFormat, line: str) -> Line | Unread:
    """Read one line by one format."""
    if isinstance(declared, DatabaseLog):
        return _of_database(declared, line)
    text: str | None = line.rstrip("\r\n")
    if declared.inside is not None:
        outer = _object(line)
        text = at_path(outer, declared.inside) if outer is not None else None
        if not isinstance(text, str):
            return Unread(f"no JSON object with a text under {declared.inside!r}")
        text = text.rstrip("\r\n")
    return _READERS[declared.format](declared, text or "")


def first_read(formats: Iterable[LineFormat], line: str) -> Line | Unread:
    """Read one line by the first format that fits (`first_of`)."""
    return first_of(read_line(one, line) for one in formats)


def first_of(read: Iterable[Line | Unread]) -> Line | Unread:
    """What the first format that fits says; what the last one says where none does.

    What only belongs to a traceback is left to a format that knows it by itself.
    """
    found: Line | Unread = Unread("no format is declared")
    for one in read:
        if isinstance(one, Line) and not one.belongs:
            return one
        found = one if isinstance(found, Unread) else found
    return found


def at_path(record: Mapping[str, Any], path: str) -> Any:
    """What stands under a key, or under keys joined by dots where no key has such a name; None where nothing does."""
    if path in record:
        return record[path]
    head, _, rest = path.partition(".")
    inner = record.get(head)
    return at_path(inner, rest) if rest and isinstance(inner, Mapping) else None


def level_keys(declared: LineFormat) -> list[str]:
    """The last parts of the declared key, and of those that loggers call their level, in lower case."""
    return sorted(_LEVELS | {declared.level.rpartition(".")[2].lower()})


@cache
def said_in_text(declared: LineFormat) -> dict[str, str]:
    """What finds that a text in a line says a level: as an object does, as `level=…`, or one of errors in capitals.

    In the query of a URL `level=…` is somebody's parameter. The group `said` of each is short: lines are counted by it.
    """
    keys = "|".join(map(any_case, level_keys(declared)))
    words = error_words(declared)
    return {
        "inner": rf'"\s*\{{(?:[^"\\]|\\.)*?\\+"(?:[^"\\]*\.)?(?<said>{keys})\\+"',
        "pair": rf"(?:^|[^?&\w\\]|\\[nrt])(?<said>(?:{keys})=)",
    } | ({"word": f"(?<said>{words})"} if words else {})


def any_case(text: str) -> str:
    """A pattern that finds a text whatever its case, as no flags are taken."""
    return "".join(f"[{one}{one.upper()}]" if one.upper() != one else re.escape(one) for one in text)


def error_words(declared: LineFormat) -> str:
    """What finds a level of errors, in capitals, anywhere in a line of which no level is known."""
    words = [one.upper() for one in declared.errors if one.isalpha()]
    return rf"\b(?:{'|'.join(words)})\b" if words else ""


def is_error(declared: LineFormat, level: str) -> bool | None:
    """Whether a level is one of errors; None for a spelling that the format does not have."""
    spelled = level.lower()
    if spelled in declared.errors:
        return True
    return False if spelled in declared.others else None


def _json(declared: LineFormat, text: str) -> Line | Unread:
    record = _object(text)
    return Unread("no JSON object") if record is None else _levelled(declared, record, text)


def _logfmt(declared: LineFormat, text: str) -> Line | Unread:
    """Words that are no pair may come after the level alone: before it, it may be part of what they say."""
    pairs = list(_PAIR.finditer(text))
    if not pairs:
        return Unread("no key=value")
    level = next((one for one in pairs if one[1] == declared.level), None)
    if _PAIR.sub("", text[: level.start()] if level else text).strip():
        lacks = level is None and declared.level_if_absent is None
        return Unread(f"no level under {declared.level!r}" if lacks else _NO_PAIRS)
    fields = _first([(one[1], one[2].strip('"').replace('\\"', '"')) for one in pairs])
    return _levelled(declared, fields, text)


def _levelled(declared: LineFormat, record: Mapping[str, Any], text: str) -> Line | Unread:
    found = at_path(record, declared.level)
    if found is None:
        found = declared.level_if_absent
        if found is not None and _says_level(declared, record, text):
            return Unread(f"it says a level under another key than {declared.level!r}, or within a text")
    if not isinstance(found, str | int) or isinstance(found, bool):
        return Unread(f"no level under {declared.level!r}")
    error = is_error(declared, str(found))
    if error is None:
        return Unread(f"the level under {declared.level!r} is in neither errors nor others")
    return Line(declared.format, str(found), error, record)


def _says_level(declared: LineFormat, record: Mapping[str, Any], text: str) -> bool:
    """Whether a level stands under any key within, however deep, or in a text."""
    keys = level_keys(declared)
    left: list[Any] = [record]
    for one in left:  # which grows
        if isinstance(one, list):
            left += one
        elif isinstance(one, Mapping):
            left += one.values()
            if any(key.lower().rpartition(".")[2] in keys and value not in (None, "") for key, value in one.items()):
                return True
    return any(re.search(as_python(pattern), text) for pattern in said_in_text(declared).values())


def _text(declared: LineFormat, text: str) -> Line | Unread:
    found = re.match(as_python(declared.pattern or "").removeprefix("^"), text)
    if found is None:
        return Unread("pattern does not fit")
    fields = found.groupdict()
    if not fields.get("level") and _names_error(declared, text):
        return Unread("it names a level of errors where pattern finds none")
    if "level" not in fields:
        return Line(declared.format, None, error=False, fields=fields)
    level = fields["level"] or declared.level_if_absent or ""
    error = is_error(declared, level)
    if error is None:
        return Unread("the level that pattern finds is in neither errors nor others")
    return Line(declared.format, level, error, fields)


def _traceback(declared: LineFormat, text: str) -> Line | Unread:
    if found := re.search(as_python(tracebacks.FIRST), text):
        part = tracebacks.begins(found["level"])
        return Line(declared.format, tracebacks.LEVEL, error=True, fields={}, part=part)
    if re.search(tracebacks.LAST, text):
        return Line(declared.format, None, error=False, fields={}, part=Part.LAST)
    if re.search(as_python(tracebacks.WITHIN), text) and not _names_error(declared, text):
        return Line(declared.format, None, error=False, fields={}, part=Part.WITHIN)
    return Unread("no line of a traceback")


def _names_error(declared: LineFormat, text: str) -> bool:
    words = error_words(declared)
    return bool(words and re.search(words, text))


_READERS = {"json": _json, "logfmt": _logfmt, "text": _text, "python-traceback": _traceback}


def _of_database(declared: DatabaseLog, line: str) -> Line | Unread:
    if declared.format == "postgres" and line.startswith("\t"):
        return Line(declared.format, None, error=False, fields={})
    found = postgres_lines.entry(declared, line)
    if isinstance(found, str):
        return Unread(found)
    fields = {"sqlstate": found.sqlstate, "message": found.message}
    return Line(declared.format, found.severity, found.severity in postgres_lines.ERRORS, fields, found.at)


def _object(text: str) -> dict[str, Any] | None:
    try:
        record = json.loads(text, object_pairs_hook=_first)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of keys that come twice the first: loggers write their own level before what applications add by that name."""
    return dict(reversed(pairs))
