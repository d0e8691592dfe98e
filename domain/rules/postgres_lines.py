"""What PostgreSQL writes into its log, by its own settings: log_line_prefix, log_timezone and lc_messages.

PostgreSQL documentation, "Error Reporting and Logging": the prefix's escapes, the columns of a csvlog, the severities.
"""

import csv
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple, get_args
from zoneinfo import ZoneInfo

from domain.config.log_formats import DatabaseLog, Severity

ERRORS = frozenset({"ERROR", "FATAL", "PANIC"})
SEVERITIES = frozenset(get_args(Severity)) | {f"DEBUG{number}" for number in range(1, 6)}
"""What an entry begins with: its severity, or what more there is to say of the one before."""
_STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [A-Za-z0-9+-]+"
_ESCAPES = {
    "t": _STAMP,
    "m": _STAMP,
    "s": _STAMP,
    "n": r"\d{1,10}\.\d+",
    "p": r"\d+",
    "P": r"\d*",
    "l": r"\d+",
    "e": r"[0-9A-Z]{5}",
    "c": r"[0-9a-f]+\.[0-9a-f]+",
    "x": r"\d+",
    "v": r"[\d/]*",
    "Q": r"-?\d+",
}
_NAME, _ANYTHING = ".{0,63}?", ".{0,300}?"
"""What may hold anything, as long as it gets (names: NAMEDATALEN - 1): a line that does not fit is given up soon."""
_ESCAPES |= dict.fromkeys("uda", _NAME)
_NAMED = {"t": "at", "m": "at", "n": "epoch", "e": "sqlstate"}
_LOG_TIME, _SEVERITY, _SQLSTATE, _MESSAGE, _COLUMNS = 0, 11, 12, 13, 23


class Entry(NamedTuple):
    """One entry; `severity` in English. `sqlstate` is None where neither prefix nor column gives it."""

    at: datetime
    severity: str
    sqlstate: str | None
    message: str


def entry(declared: DatabaseLog, line: str) -> Entry | str:
    """Read an entry, or say why it is none that fits. One of a csvlog may hold line breaks within quotes."""
    return _of_csv(declared, line) if declared.format == "csvlog" else _of_prefix(declared, line)


def _of_prefix(declared: DatabaseLog, line: str) -> Entry | str:
    found = _pattern(declared.prefix, tuple(declared.severities)).match(line)
    if found is None:
        return "prefix does not fit, or the severity after it is not known: translate it under severities"
    parts = found.groupdict()
    epoch = parts.get("epoch")
    at = _epoch(epoch) if epoch else _moment(parts["at"], declared.zone)
    return _entry(declared, at, found["severity"], parts.get("sqlstate"), found["message"])


def _of_csv(declared: DatabaseLog, line: str) -> Entry | str:
    try:
        rows = list(csv.reader([line], strict=True))
    except csv.Error:
        rows = []
    if len(rows) != 1 or len(rows[0]) < _COLUMNS:
        return f"no row of a csvlog: it has {_COLUMNS} columns at least"
    row = rows[0]
    return _entry(declared, _moment(row[_LOG_TIME], declared.zone), row[_SEVERITY], row[_SQLSTATE], row[_MESSAGE])


def _entry(declared: DatabaseLog, at: datetime | None, severity: str, sqlstate: str | None, text: str) -> Entry | str:
    known = declared.severities.get(severity, severity)
    if at is None:
        return f"its time is none of zone {declared.zone}"
    if known not in SEVERITIES:
        return "its severity is not known: translate it under severities"
    return Entry(at, known, sqlstate, text)


def _moment(stamp: str, zone: str) -> datetime | None:
    """A time with its zone's abbreviation, which tells the two hours apart that clocks show twice."""
    clock, _, abbreviation = stamp.rpartition(" ")
    try:
        naive = datetime.fromisoformat(clock)
    except ValueError:
        return None
    both = [naive.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1)]
    return next((at.astimezone(UTC) for at in both if at.tzname() == abbreviation), None)


def _epoch(seconds: str) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=float(seconds))


@cache
def _pattern(prefix: str, translated: tuple[str, ...]) -> re.Pattern[str]:
    """The prefix as a pattern, and what follows it: a severity, a colon, two spaces, the text.

    Processes without a session end it at `%q`. A field that may hold anything holds as little as fits.
    """
    taken: set[str] = set()
    always, in_sessions = (_part(part, taken) for part in prefix.partition("%q")[::2])
    severity = "|".join(map(re.escape, sorted({*SEVERITIES, *translated}, key=len, reverse=True)))
    return re.compile(rf"{always}(?:{in_sessions})??(?P<severity>{severity}):  (?P<message>(?s:.*))")


def _part(text: str, taken: set[str]) -> str:
    pattern = ""
    for literal, padding, escape in re.findall(r"([^%]+)|%(-?\d*)(.)", text):
        if literal or escape == "%":
            pattern += re.escape(literal or "%")
            continue
        field, name = _ESCAPES.get(escape, _ANYTHING), _NAMED.get(escape)
        if name is not None and name not in taken:
            taken.add(name)
            field = f"(?P<{name}>{field})"
        pattern += rf" *{field} *" if padding else field
    return pattern
