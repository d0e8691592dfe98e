"""How the logs of an environment are written: a fact that its file declares, never a guess of ours.

A service's log has formats in order: a line is of the first one that reads it. `domain.rules.log_lines` reads lines.
"""

import re
import zoneinfo
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from domain.values.frozen import Frozen

_ERRORS = (
    *("emergency", "emerg", "alert", "critical", "crit", "fatal", "panic", "dpanic"),
    *("severe", "error", "err", "ftl"),
)
_OTHERS = (
    *("warning", "warn", "wrn", "notice", "information", "informational", "info", "inf"),
    *("log", "debug", "dbg", "verbose", "vrb", "trace", "trc"),
)
_UNPORTABLE = re.compile(r"\(\?(?![:<])|\(\?<[=!]|\\[1-9k]")
_ESCAPE = re.compile(r"%-?\d*(.)")
_TIMES = frozenset("tmn")
_GROUPS = re.compile(r"\(\?<(\w+)>")
_OF_EVERYBODY = ('{"level":"error"}', "level=error msg=x", "ERROR x", "Traceback (most recent call last):", "  x")
"""Lines that have nothing in common: a pattern that fits them all tells none apart."""
_KNOWN_ESCAPES = frozenset("audrhbpPtmniecslvxqQL%")


def as_python(pattern: str) -> str:
    """Write a pattern as Python does, which has `(?P<name>` where CloudWatch Logs Insights has `(?<name>`."""
    return pattern.replace("(?<", "(?P<")


def _pattern(value: str) -> str:
    """A pattern that Python and CloudWatch Logs Insights read alike: no look-around, no back-reference."""
    if not value.startswith("^"):
        raise ValueError("must begin with ^: a line is known by its beginning")
    if _UNPORTABLE.search(value):
        raise ValueError("takes no look-around, flags or back-references: CloudWatch Logs Insights reads it too")
    try:
        re.compile(as_python(value))
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return value


def _prefix(value: str) -> str:
    if unknown := set(_ESCAPE.findall(value)) - _KNOWN_ESCAPES:
        raise ValueError(f"%{min(unknown)} is no escape of log_line_prefix; copy the parameter as it is")
    if not _TIMES & set(_ESCAPE.findall(value.partition("%q")[0])):
        raise ValueError("has no time (%t, %m or %n) before %q: not every line would say when it was written")
    return value


def _zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)  # kept once it was found; a list of them all is read from the disk every time
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"{value!r} is no time zone; write one such as Australia/Sydney") from error
    return value


_Spelling = Annotated[str, StringConstraints(to_lower=True)]
Key = Annotated[str, Field(min_length=1)]
Samples = Annotated[tuple[str, ...], Field(exclude=True)]
"""Lines by which a file's format is checked when the file is read; they go no further than that."""


class LineKeys(Frozen):
    """What an application calls the fields of its lines on what people do; a dot leads into an object."""

    event: Key = "eventType"
    success: Key = "success"
    address: Key = "sourceIp"
    account: Key = "userId"
    role: Key = "role"
    resource: Key = "resourceId"


class LineFormat(Frozen):
    """One format of the lines of a service's log.

    `json` and `logfmt` have their level under `level`; one without any is `level_if_absent`. `text` has a `pattern`,
    whose group `level` is the level; without one its lines are known, and no errors (what continues other lines).
    Other groups of a pattern are called as `keys` say. `python-traceback` is what Python writes when it dies, line by
    line, of which only the first is one by itself. `inside` is the key under which a log router, such as FireLens, has
    put the line. `errors` and `others` are all spellings of levels, whatever their case; numbers in quotes. A line
    whose level is in neither is not understood.
    """

    format: Literal["json", "logfmt", "text", "python-traceback"]
    pattern: Annotated[str, AfterValidator(_pattern)] | None = None
    level: Key = "level"
    level_if_absent: str | None = None
    inside: Key | None = None
    errors: Annotated[tuple[_Spelling, ...], Field(min_length=1)] = _ERRORS
    others: tuple[_Spelling, ...] = _OTHERS
    keys: LineKeys = LineKeys()
    succeeded: tuple[_Spelling, ...] = ("true",)
    failed: tuple[_Spelling, ...] = ("false",)
    samples: Samples = ()

    @model_validator(mode="after")
    def _check(self) -> "LineFormat":
        if (self.format == "text") != (self.pattern is not None):
            raise ValueError("format text has a pattern, and no other format has one")
        groups = set(_GROUPS.findall(self.pattern or ""))
        if strange := groups - {"level", *self.keys.model_dump().values()}:
            raise ValueError(f"pattern calls a group {min(strange)!r}: it is level, or a name that keys has")
        if (
            self.pattern
            and ("level" not in groups or self.level_if_absent is not None)
            and all(re.match(as_python(self.pattern), one) for one in _OF_EVERYBODY)
        ):
            raise ValueError("pattern fits every line, and finds a level in none or not in all: no error would be one")
        if self.level_if_absent is not None and self.level_if_absent.lower() not in (*self.errors, *self.others):
            raise ValueError(f"level_if_absent {self.level_if_absent!r} is in neither errors nor others")
        return self


# fmt: off
Severity = Literal[
    "ERROR", "FATAL", "PANIC", "LOG", "WARNING", "NOTICE", "INFO", "DEBUG",
    "DETAIL", "HINT", "STATEMENT", "CONTEXT", "QUERY", "LOCATION", "BACKTRACE",
]
# fmt: on
"""What an entry of PostgreSQL's begins with, in English."""

RDS_PREFIX = "%t:%r:%u@%d:[%p]:"
"""RDS for PostgreSQL's own log_line_prefix (RDS user guide, "RDS for PostgreSQL database log files")."""


class DatabaseLog(Frozen):
    """The log of a PostgreSQL: `prefix` is its log_line_prefix (none in a csvlog), `zone` its log_timezone.

    `severities` translates what its lc_messages makes of the severities (`{FEHLER: ERROR, ANWEISUNG: STATEMENT}`).
    """

    format: Literal["postgres", "csvlog"]
    prefix: Annotated[str, AfterValidator(_prefix)] = RDS_PREFIX
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    severities: dict[str, Severity] = {}
    samples: Samples = ()


LogFormat = LineFormat | DatabaseLog
