"""A report in any of its formats, from the entries of a timeline."""

import json

from activities.report import content
from activities.report.html import html
from activities.report.markdown import markdown
from domain.account_fold import fold
from domain.timeline import Entry
from domain.zoned import Clock

ENDINGS = {"markdown": "md", "html": "html", "json": "json", "pdf": "pdf"}
"""The formats, and how the names of their files end."""


def rendered(entries: list[Entry], format_: str, clock: Clock) -> bytes:
    """Render the report of an incident's whole timeline; times are written by `clock`. Raises `NoAccountError`."""
    account = fold(entries)
    if format_ == "json":
        return json.dumps(content.facts(account, entries), ensure_ascii=False).encode()
    blocks, title = content.blocks(account, entries, clock), f"{account.id}: {account.title}"
    if format_ == "html":
        return html(blocks, title).encode()
    if format_ == "pdf":
        from activities.report.pdf import pdf  # noqa: PLC0415 - its library is slow to load, and rarely needed

        return pdf(blocks, title, entries[-1].at)
    if format_ == "markdown":
        return markdown(blocks).encode()
    raise ValueError(f"{format_!r} is no format of a report")
