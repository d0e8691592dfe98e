"""Each sample line of a log that an environment's file gives must be read by the format that it stands beside."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from domain.config.log_formats import DatabaseLog, LineFormat, LogFormat
from domain.config.names import Flaw, Keys, items, mapping
from domain.rules.log_lines import Unread, read_line


def of_logs(data: Mapping[str, Any]) -> Iterator[Flaw]:
    """Every sample that its format does not fit, and why."""
    for name, service in mapping(data.get("services")).items():
        for index, declared in enumerate(items(mapping(service).get("log_formats"))):
            yield from _samples(("services", name, "log_formats", index), LineFormat, declared)
    for name, database in mapping(data.get("databases")).items():
        yield from _samples(("databases", name, "log"), DatabaseLog, mapping(database).get("log"))


def _samples(at: Keys, model: type[LogFormat], declared: Any) -> Iterator[Flaw]:
    """What is wrong with the format itself is said by its model, at its own keys."""
    try:
        known = model.model_validate(declared)
    except ValidationError:
        return
    for index, sample in enumerate(known.samples):
        if isinstance(found := read_line(known, sample), Unread):
            message = f"is not read by its format {known.format}: {found.why}; correct the format, or the sample"
            yield Flaw((*at, "samples", index), message)
