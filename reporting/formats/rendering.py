"""A report in any of its formats, from the entries of a timeline."""

import json

from domain.model.timeline import Entry
from domain.rules.evolve import fold
from domain.values.local_time import Clock
from reporting.content import incident_report
from reporting.formats.html import html
from reporting.formats.markdown import markdown

ENDINGS = {"markdown": "md", "html": "html", "json": "json", "pdf": "pdf"}
"""The formats, and how the names of their files end."""


def rendered(entries: list[Entry], format_: str, clock: Clock) -> bytes:
    """Render the report of an incident's whole timeline; times are written by `clock`. Raises `NoIncidentError`."""
    state = fold(entries)
    if format_ == "json":
        return json.dumps(incident_report.facts(state, entries), ensure_ascii=False).encode()
    blocks, title = incident_report.blocks(state, entries, clock), f"{state.id}: {state.title}"
    if format_ == "html":
        return html(blocks, title).encode()
    if format_ == "pdf":
        from reporting.formats.pdf import pdf  # noqa: PLC0415 - its library is slow to load, and rarely needed

        return pdf(blocks, title, entries[-1].at)
    if format_ == "markdown":
        return markdown(blocks).encode()
    raise ValueError(f"{format_!r} is no format of a report")
