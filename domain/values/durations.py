"""Durations as people write them: `30s`, `15m`, `4h`, `2d`."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_WRITTEN = re.compile(r"(\d+)([smhd])")


def _from_text(value: Any) -> Any:
    if isinstance(value, str) and (found := _WRITTEN.fullmatch(value)):
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    if isinstance(value, str) and not value.startswith(("P", "-P")):
        raise ValueError(f"{value!r} is no duration: write a whole number and s, m, h or d, such as 15m")
    if isinstance(value, int | float):
        raise ValueError(f"{value!r} has no unit: write s, m, h or d after it, such as 15m")  # noqa: TRY004
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(_from_text),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+[smhd]$", "examples": ["15m", "4h"]}, mode="validation"),
]
"""A `timedelta`, read from `15m` in YAML and from ISO 8601 in payloads."""


def spoken(duration: timedelta) -> str:
    """Say a duration the short way: `1h 30m`, `45s`, `2d`. Negative durations lose their sign."""
    seconds = abs(round(duration.total_seconds()))
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count and len(parts) < 2:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
