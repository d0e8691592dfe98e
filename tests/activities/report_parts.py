"""Parts of a report as a test reads them: the text under each heading."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from domain.model.timeline import Entry
from domain.rules.evolve import fold
from domain.values.local_time import Clock
from reporting.content import incident_report
from reporting.content.blocks import Block, Figure, Heading, Items, Table

SYDNEY = Clock(ZoneInfo("Australia/Sydney"))


def lines(blocks: Iterable[Block]) -> list[str]:
    """Every line of some blocks; the cells of a row stand with bars between them."""
    found: list[str] = []
    for block in blocks:
        if isinstance(block, Heading):
            found.append(block.text)
        elif isinstance(block, Items):
            found += block.items
        elif isinstance(block, Table):
            found += [" | ".join(row) for row in [block.columns, *block.rows]]
        elif isinstance(block, Figure):
            found += [block.drawing.title, block.drawing.description, block.caption]
        else:
            found.append(block)
    return found


def parts(entries: Iterable[Entry], clock: Clock = SYDNEY) -> dict[str, list[str]]:
    """The lines of each part, by the part's heading."""
    known = list(entries)
    found: dict[str, list[Block]] = {}
    name = ""
    for block in incident_report.blocks(fold(known), known, clock):
        if isinstance(block, Heading) and block.level == 2:
            name = block.text
        found.setdefault(name, []).append(block)
    return {name: lines(blocks) for name, blocks in found.items()}
