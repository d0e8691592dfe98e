"""Each sample line of a log that an environment's file gives must be read by the format that it stands beside."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from domain.config.log_formats import DatabaseLog, LineFormat, LogFormat
from domain.rules.log_lines import Unread, read_line
from starters.files.names import items, mapping
from starters.files.problems import Keys, Problem
from starters.files.yaml_lines import Document


def of_logs(document: Document) -> Iterator[Problem]:
    """Every sample that its format does not fit, and why."""
    for name, service in mapping(document.data.get("services")).items():
        for index, declared in enumerate(items(mapping(service).get("log_formats"))):
            yield from _samples(document, ("services", name, "log_formats", index), LineFormat, declared)
    for name, database in mapping(document.data.get("databases")).items():
        yield from _samples(document, ("databases", name, "log"), DatabaseLog, mapping(database).get("log"))


def _samples(document: Document, at: Keys, model: type[LogFormat], declared: Any) -> Iterator[Problem]:
    """What is wrong with the format itself is said by its model, at its own keys."""
    try:
        known = model.model_validate(declared)
    except ValidationError:
        return
    for index, sample in enumerate(known.samples):
        if isinstance(found := read_line(known, sample), Unread):
            message = f"is not read by its format {known.format}: {found.why}; correct the format, or the sample"
            yield document.problem((*at, "samples", index), message)
