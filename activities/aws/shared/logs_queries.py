"""The queries of CloudWatch Logs Insights that actions make: two shapes, one with a text to look for or without.

What finds a line of a format is written from the format that the environment declares. It is as strict as
`domain.rules.log_lines`, or stricter: what it does not find counts as unread.
"""

import re
from collections.abc import Mapping

from domain.config.log_formats import LineFormat
from domain.rules.log_lines import CONTINUED, TRACEBACK, is_error

_WITHIN = r"(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*?"
"""What stands before a key of a JSON object, with objects two deep: their own keys are not taken for it."""
_PAIRS = r'(?:[^\s="]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)\s+)*'
"""What stands before a key of logfmt: what is said within quotes is not taken for it."""
_ESCAPED = r'\\"'


def counting(formats: tuple[LineFormat, ...], text: str | None) -> str:
    """Count all lines by what the formats find in them, by stream and by whether they contain `text`, in one scan.

    `level<n>` is the level by the n-th format, `known<n>` what shows a line of it that has none. A field that a line
    does not have is missing from its row, or its row is: lines are known by what is counted, never by what is not.
    """
    found = {name: one for number, each in enumerate(formats) for name, one in _patterns(number, each).items()}
    parses = "".join(f"parse @message /{_escaped(pattern)}/ | " for pattern in found.values())
    hit = "" if text is None else f"fields strcontains(@message, {_quoted(text)}) as hit | "
    by = ", ".join([*found, *([] if text is None else ["hit"]), "@logStream"])
    return f"{parses}{hit}stats count(*) as lines, min(@timestamp) as first, max(@timestamp) as last by {by}"


def reading(texts: tuple[str, ...]) -> str:
    """Read the lines that contain one of `texts`, the latest first."""
    likes = " or ".join(f"@message like {_quoted(text)}" for text in texts)
    return f"fields @timestamp, @logStream, @message | filter {likes} | sort @timestamp desc"


def judged(number: int, declared: LineFormat, row: Mapping[str, str]) -> bool | None:
    """Whether the lines of a row are errors by the n-th format; None where it does not read them."""
    level, known = row.get(f"level{number}"), row.get(f"known{number}")
    if declared.format == "python-traceback":
        return bool(level) if level or known else None
    if not level and known and declared.level_if_absent is None:
        return False
    level = level or (known and declared.level_if_absent)
    return is_error(declared, level) if level else None


def _patterns(number: int, declared: LineFormat) -> dict[str, str]:
    """What finds a line of a format, by the name of the field that it makes."""
    level, known = f"level{number}", f"known{number}"
    if declared.format in {"text", "python-traceback"}:
        of_level, of_others = TRACEBACK, CONTINUED
        if declared.format == "text":
            pattern = re.sub(r"\(\?<(?!level>)\w+>", "(?:", declared.pattern or "")
            of_level, of_others = (pattern, "") if "(?<level>" in pattern else ("", pattern)
        named = {level: of_level and f"^(?:{of_level.removeprefix('^')})".replace("(?<level>", f"(?<{level}>")}
        named[known] = of_others and f"^(?<{known}>{of_others.removeprefix('^')})"
    else:
        quote = '"' if declared.inside is None else _ESCAPED
        named = (_logfmt if declared.format == "logfmt" else _json)(declared.level, quote, level, known)
        if declared.level_if_absent is None:
            del named[known]
    return {name: _inside(declared, pattern) for name, pattern in named.items() if pattern}


def _json(key: str, quote: str, level: str, known: str) -> dict[str, str]:
    value = rf"\s*:\s*(?:{quote})?(?<{level}>[^\",}}\s\\]+)"
    return {level: rf"^\s*\{{{_WITHIN}{_key(key, quote)}{value}", known: rf"^\s*(?<{known}>\{{)"}


def _logfmt(key: str, quote: str, level: str, known: str) -> dict[str, str]:
    value = rf"{re.escape(key)}=(?:{quote})?(?<{level}>[^\s\"\\]+)"
    return {level: f"^{_PAIRS}{value}", known: rf'^(?<{known}>[^\s="]+=)'}


def _key(path: str, quote: str) -> str:
    """A key with dots, or keys within each other."""
    parts = [f"{quote}{re.escape(part)}{quote}" for part in path.split(".")]
    nested = rf"\s*:\s*\{{{_WITHIN}".join(parts)
    return nested if len(parts) == 1 else f"(?:{quote}{re.escape(path)}{quote}|{nested})"


def _inside(declared: LineFormat, pattern: str) -> str:
    """The pattern of a line that a log router has put into an object of its own."""
    if declared.inside is None:
        return pattern
    return rf'^\s*\{{{_WITHIN}{_key(declared.inside, chr(34))}\s*:\s*"{pattern.removeprefix("^")}'


def _escaped(pattern: str) -> str:
    return re.sub(r"(?<!\\)/", r"\/", pattern)


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
