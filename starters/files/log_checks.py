"""Each sample line of a log that an environment's file gives must be read by the format that it stands beside."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from domain.config.log_formats import DatabaseLog, LineFormat, LogFormat
from domain.config.names import Flaw, Keys, items, mapping
from domain.rules.log_lines import Line, Unread, read_line


def of_logs(data: Mapping[str, Any]) -> Iterator[Flaw]:
    """Every sample that its format does not fit, and why; and every one that another format would read before."""
    for name, service in mapping(data.get("services")).items():
        at, formats = ("services", name, "log_formats"), items(mapping(service).get("log_formats"))
        earlier: list[LogFormat] = []
        for index, declared in enumerate(formats):
            if (known := _valid(LineFormat, declared)) is not None:
                yield from _samples((*at, index), known, earlier)
                earlier.append(known)
    for name, database in mapping(data.get("databases")).items():
        if (log := _valid(DatabaseLog, mapping(database).get("log"))) is not None:
            yield from _samples(("databases", name, "log"), log, [])


def _valid(model: type[LogFormat], declared: Any) -> LogFormat | None:
    """The format; None where it is wrong itself, which its model says at its own keys."""
    try:
        return model.model_validate(declared)
    except ValidationError:
        return None


def _samples(at: Keys, known: LogFormat, earlier: Sequence[LogFormat]) -> Iterator[Flaw]:
    for index, sample in enumerate(known.samples):
        where = (*at, "samples", index)
        if isinstance(found := read_line(known, sample), Unread):
            yield Flaw(
                where, f"is not read by its format {known.format}: {found.why}; correct the format, or the sample"
            )
        elif first := next((one for one in earlier if _takes(one, sample)), None):
            yield Flaw(where, f"is read by format {first.format} before its own; put its format before that")


def _takes(earlier: LogFormat, sample: str) -> bool:
    found = read_line(earlier, sample)
    return isinstance(found, Line) and not found.belongs
