"""What many incidents came to, as a page or a picture that needs nothing else."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from reporting.content.blocks import Block, Figure, Heading, Items, Table
from reporting.formats.html import html
from reporting.formats.svg import svg
from reporting.picture.drawing import Drawing
from reporting.picture.time_scale import median_and_mean
from reporting.statistics.chart import stats_picture
from reporting.statistics.tally import Group, Kept, Stats

READ_SO = (
    "Live incidents alone are counted; false alarms and drills stand apart and are in no time and no service level.",
    "Times count from the declaration: to the first acknowledgement, and to the resolution that stands.",
    "Response is the clock until the acknowledgement, escalation the one until the mitigation.",
    "A clock that was missed before an incident was reopened stays missed; one that was called off counts nowhere.",
    "The severity is the one that stands. With few incidents the median says more than the mean.",
)
"""How the numbers are to be read."""


class Scope(NamedTuple):
    """What the numbers are of: an environment, from when, as of when, and what could not be counted (id, why)."""

    environment: str
    since: str | None
    at: str
    unreadable: Sequence[tuple[str, str]]

    def foot(self) -> list[str]:
        """What has to stand with the numbers wherever they go."""
        unread = [f"Could not be read, and in no number: {len(self.unreadable)}."] if self.unreadable else []
        return [f"As the ledger has it at {self.at}.", *unread]

    @property
    def title(self) -> str:
        return f"Incidents of {self.environment}, " + (f"declared since {self.since}" if self.since else "all")


def page(stats: Stats, scope: Scope) -> bytes:
    """One HTML page, with the picture and everything in it as tables."""
    return html(_blocks(stats, scope), scope.title).encode(errors="replace")


def chart(stats: Stats, scope: Scope) -> bytes:
    """The picture alone, as SVG."""
    return svg(_picture(stats, scope), alone=True).encode(errors="replace")


def _picture(stats: Stats, scope: Scope) -> Drawing:
    return stats_picture(stats, scope.title, scope.foot())


def kept(clock: Kept) -> str:
    """How often a clock was met, of those that ended; how many run is said too."""
    if not clock.ended:
        return f"{clock.running} running" if clock.running else "none"
    share = f"{clock.met} of {clock.ended} ({clock.met / clock.ended:.0%})"
    return f"{share}, {clock.running} running" if clock.running else share


_COLUMNS: dict[str, Callable[[Group], object]] = {
    "Incidents": lambda group: group.incidents,
    "Open": lambda group: group.open,
    "To acknowledge": lambda group: median_and_mean(group.time_to_acknowledge),
    "To resolve": lambda group: median_and_mean(group.time_to_resolve),
    "Response": lambda group: kept(group.response),
    "Escalation": lambda group: kept(group.escalation),
    "False alarms": lambda group: group.false_alarms,
    "Drills": lambda group: group.drills,
}


def left_out(stats: Stats) -> str:
    """What is in no number."""
    return f"Dry runs left out: {stats.dry_runs}. Upkeep left out: {stats.upkeep}."


def _blocks(stats: Stats, scope: Scope) -> Iterator[Block]:
    yield Heading(1, scope.title)
    yield " ".join([*scope.foot(), left_out(stats)])
    if scope.unreadable:
        rows = [list(one) for one in scope.unreadable]
        yield Table(["Could not be read", "Why"], rows, dict.fromkeys(range(len(rows)), "bad"))
    yield Figure(_picture(stats, scope), "Everything that this picture shows stands in the tables below.")
    yield from tables(stats, level=2)
    yield Heading(2, "How to read it")
    yield Items(list(READ_SO))


def tables(stats: Stats, level: int) -> Iterator[Block]:
    """The numbers, by severity and by type, under headings of this level."""
    for name, groups in (("By severity", stats.by_severity), ("By type", stats.by_type)):
        yield Heading(level, name)
        rows = [[group.name, *(str(cell(group)) for cell in _COLUMNS.values())] for group in [*groups, stats.total]]
        yield Table([name.removeprefix("By ").capitalize(), *_COLUMNS], rows)
