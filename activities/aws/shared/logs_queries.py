"""The queries of CloudWatch Logs Insights that actions make: two shapes, one with a text to look for or without.

What finds a line of a format is written from the format that the environment declares. It is as strict as
`domain.rules.log_lines`, or stricter: what it does not find counts as unread.
"""

import re
from collections.abc import Iterable, Mapping

from domain.config.log_formats import LineFormat
from domain.rules import tracebacks
from domain.rules.log_lines import (
    Line,
    Unread,
    any_case,
    error_words,
    first_of,
    is_error,
    level_keys,
    said_in_text,
)
from domain.rules.tracebacks import Part

_QUOTE, _ESCAPED = '"', r'\\"'
_STRINGS = {
    _QUOTE: r'"(?:[^"\\]|\\.)*"',
    _ESCAPED: r'\\"(?:[^"\\]|\\[^"\\]|\\\\(?:\\["\\]|[^"\\]))*\\"',
}
"""A text in quotes, as it stands in a line and as it stands in a line that a router has put into an object."""
_BESIDE = {_QUOTE: r'[^{}"]', _ESCAPED: r'[^{}"\\]|\\[^"\\]'}
_ELSEWHERE = ("named", "inner", "pair", "word")
"""What shows that a line may say its level elsewhere than under the declared key."""
_DEEP = 4
"""How many objects within each other may stand before a key."""


def counting(formats: tuple[LineFormat, ...], text: str | None, *, of_events: bool = False) -> str:
    """Count all lines by what the formats find in them, by stream and by whether they contain `text`, in one scan.

    `level<n>` is the level by the n-th format, `known<n>` what shows a line of it, and those of `_ELSEWHERE` that a
    level's key, or a level of errors, stands anywhere in one: a known line with them and without a level is unread.
    `ended<n>` is the last line of a traceback. A field that a line does not have is missing from its row, or its row
    is. With `of_events` lines are told apart by the key of an event.
    """
    found = {name: one for number, each in enumerate(formats) for name, one in _patterns(number, each).items()}
    if of_events and (key := _of_events(formats)):
        found["hit"] = key
    parses = "".join(f"parse @message /{_escaped(pattern)}/ | " for pattern in found.values())
    hit = "" if text is None else f"fields strcontains(@message, {_quoted(text)}) as hit | "
    by = ", ".join([*found, *([] if text is None else ["hit"]), "@logStream"])
    return f"{parses}{hit}stats count(*) as lines, min(@timestamp) as first, max(@timestamp) as last by {by}"


def reading(texts: tuple[str, ...]) -> str:
    """Read the lines that contain one of `texts`, whatever their case, the latest first."""
    likes = " or ".join(f"@message like /(?i){_escaped(re.escape(text))}/" for text in texts)
    return f"fields @timestamp, @logStream, @message | filter {likes} | sort @timestamp desc"


def first_judged(formats: Iterable[LineFormat], row: Mapping[str, str]) -> Line | Unread:
    """What the first format that fits says of the lines of a row, as `first_read` would say of each."""
    return first_of(judged(number, one, row) for number, one in enumerate(formats))


def judged(number: int, declared: LineFormat, row: Mapping[str, str]) -> Line | Unread:
    """What the n-th format says of the lines of a row; none has fields."""
    level = row.get(f"level{number}")
    known = bool(row.get(f"known{number}")) and not any(row.get(f"{name}{number}") for name in _ELSEWHERE)
    if declared.format == "python-traceback":
        return _of_traceback(level, bool(row.get(f"ended{number}")), known)
    if not level and known and declared.format == "text":
        return Line(declared.format, None, error=False, fields={})
    level = level or (declared.level_if_absent if known else None)
    error = is_error(declared, level) if level else None
    return Unread("no level was found") if error is None else Line(declared.format, level, error, {})


def _of_traceback(level: str | None, ended: bool, known: bool) -> Line | Unread:
    if level:
        return Line("python-traceback", tracebacks.LEVEL, error=True, fields={}, part=tracebacks.begins(level))
    part = Part.LAST if ended else Part.WITHIN if known else None
    if part is None:
        return Unread("no line of a traceback")
    return Line("python-traceback", None, error=False, fields={}, part=part)


def _patterns(number: int, declared: LineFormat) -> dict[str, str]:
    """What finds a line of a format, by the name of the field that it makes."""
    level, known, said = f"level{number}", f"known{number}", f"named{number}"
    words = error_words(declared)
    of_words = words and f"(?<{said}>{words})"
    if declared.format == "python-traceback":
        named = {
            level: tracebacks.FIRST.replace("(?<level>", f"(?<{level}>"),
            known: tracebacks.WITHIN.replace("(?<known>", f"(?<{known}>"),
            f"ended{number}": f"^(?<ended{number}>{tracebacks.LAST.removeprefix('^')})",
            said: of_words,
        }
    elif declared.format == "text":
        pattern = re.sub(r"\(\?<(?!level>)\w+>", "(?:", declared.pattern or "").removeprefix("^")
        named = {level: f"^(?:{pattern})".replace("(?<level>", f"(?<{level}>")}
        if "(?<level>" not in pattern:
            named = {known: f"^(?<{known}>{pattern})", said: of_words}
    else:
        quote = _QUOTE if declared.inside is None else _ESCAPED
        of_level, of_others = (_logfmt if declared.format == "logfmt" else _json)(declared.level, quote)
        named = {level: f"^{of_level.replace('(?<level>', f'(?<{level}>')}"}
        if declared.level_if_absent is not None:
            of_others = of_others.replace("(?<known>", f"(?<{known}>")
            keys = "|".join(map(any_case, level_keys(declared)))
            named |= {known: f"^{of_others}", said: rf'(?<{said}>[".](?:{keys}){quote})'}
            named |= {
                f"{name}{number}": pattern.replace("(?<said>", f"(?<{name}{number}>")
                for name, pattern in said_in_text(declared).items()
            }
    return {name: _inside(declared, pattern) for name, pattern in named.items() if pattern}


def _json(key: str, quote: str) -> tuple[str, str]:
    """What finds the level of a line, and that it is one of the format.

    Of the whole line only its first brace is taken, as lines are counted by what is: an object that begins with a key,
    or is empty, and ends with the line.
    """
    level = rf"\s*\{{{_within(quote)}{_key(key, quote)}\s*:\s*(?:{quote})?(?<level>[^\",}}\s\\]+)"
    others = rf"\s*(?<known>\{{)\s*(?:\}}|{_STRINGS[quote]}\s*:{_within(quote)}\}}){_end(quote)}"
    return level, others


def _logfmt(key: str, quote: str) -> tuple[str, str]:
    """The same; words that are no pair may come after a level, and stand nowhere where there is none."""
    value = rf'(?:{_STRINGS[quote]}|[^\s"]*)'
    pairs = rf'\s*(?:[^\s="]+={value}\s+)*?'
    others = rf'{pairs}[^\s="]+(?<known>=){value}{_end(quote)}'
    return rf"{pairs}{re.escape(key)}=(?:{quote})?(?<level>[^\s\"\\]+)", others


def _end(quote: str) -> str:
    return r"\s*$" if quote == _QUOTE else rf"(?:\s|\\[rn])*{_QUOTE}"


def _of_events(formats: tuple[LineFormat, ...]) -> str:
    """What finds the key of a record's event: the same text in every line, so that lines are counted together."""
    keys = [one.keys.event for one in formats if one.format == "logfmt"]
    found = {rf"\b{re.escape(key)}=" for key in keys}
    found |= {
        rf'[".]{re.escape(one.keys.event.rpartition(".")[2])}{_QUOTE if one.inside is None else _ESCAPED}'
        for one in formats
        if one.format == "json"
    }
    return f"(?<hit>{'|'.join(sorted(found))})" if found else ""


def _within(quote: str) -> str:
    """What stands before a key of a JSON object: texts and objects, whose own keys are not taken for it."""
    beside = found = f"{_BESIDE[quote]}|{_STRINGS[quote]}"
    for _ in range(_DEEP):
        found = rf"{beside}|\{{(?:{found})*\}}"
    return f"(?:{found})*?"


def _key(path: str, quote: str) -> str:
    """A key with dots, or keys within each other."""
    parts = [f"{quote}{re.escape(part)}{quote}" for part in path.split(".")]
    nested = rf"\s*:\s*\{{{_within(quote)}".join(parts)
    return nested if len(parts) == 1 else f"(?:{quote}{re.escape(path)}{quote}|{nested})"


def _inside(declared: LineFormat, pattern: str) -> str:
    """The pattern of a line that a log router has put into an object of its own."""
    if declared.inside is None:
        return pattern
    start = "" if pattern.startswith("^") else ".*?"
    key = _key(declared.inside, _QUOTE)
    return rf'^\s*\{{{_within(_QUOTE)}{key}\s*:\s*"{start}{pattern.removeprefix("^")}'


def _escaped(pattern: str) -> str:
    return re.sub(r"(?<!\\)/", r"\/", pattern)


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
