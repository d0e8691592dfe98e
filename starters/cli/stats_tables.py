"""What many incidents came to, in a terminal: the numbers as tables, and how they lie as a chart."""

import textwrap
from datetime import timedelta

from rich.table import Table

from domain.values.durations import spoken
from reporting.picture.time_scale import TimeScale
from reporting.statistics.chart import apart
from reporting.statistics.tally import Group, Kept, Spread, Stats
from starters.cli.terminal import clean, console, table

_WIDEST = 44
_NARROWEST = 14
_BAR = 8
_NAMES = 15


def numbers(title: str, groups: list[Group]) -> Table:
    """One row a group: how many, how long, how often in time; what is in no mean stands under the number."""
    times = ("Acknowledged\nmedian\nmean", "Resolved\nmedian\nmean")
    made = table(title, title.removeprefix("By ").capitalize(), "Incidents", *times, "In time")
    for group in groups:
        took = [_times(group.time_to_acknowledge), _times(group.time_to_resolve)]
        counts = [f"{group.incidents}", *([f"{group.open} open"] if group.open else []), *apart(group)]
        made.add_row(_name(group), "\n".join(counts), *took, _in_time(group), end_section=group is groups[-2:][0])
    return made


def _name(group: Group) -> str:
    """A name that breaks where its words do."""
    return textwrap.fill(clean(group.name), _NAMES)


def _in_time(group: Group) -> str:
    """How often each clock was met, of those that ended."""
    clocks = (("response", group.response), ("escalation", group.escalation))
    return "\n".join(f"{name} {clock.met}/{clock.ended}" for name, clock in clocks if clock.ended)


def _times(spread: Spread) -> str:
    if spread.median_seconds is None or spread.mean_seconds is None:
        return "none yet"
    median, mean = (spoken(timedelta(seconds=at)) for at in (spread.median_seconds, spread.mean_seconds))
    return f"{median}\n{mean}\nn {spread.n}"


def chart(stats: Stats) -> Table:
    """Every group's times from the shortest to the longest on a logarithmic scale, and how often it was in time."""
    groups = [*stats.by_severity, *stats.by_type]
    width = min(max((console().width - _NAMES - 2 * (_BAR + 2) - 8) // 2, _NARROWEST), _WIDEST)
    acknowledge, resolve = TimeScale(stats.total.time_to_acknowledge), TimeScale(stats.total.time_to_resolve)
    made = Table.grid(padding=(0, 2))
    for _ in range(5):
        made.add_column(no_wrap=True)
    made.add_row("", "To acknowledge", "To resolve", "Response", "Escalation", style="bold")
    made.add_row("", _marks(acknowledge, width), _marks(resolve, width), "", "")
    for group in groups:
        lines = [_line(group.time_to_acknowledge, acknowledge, width), _line(group.time_to_resolve, resolve, width)]
        made.add_row(_name(group), *lines, _bar(group.response), _bar(group.escalation))
    made.add_row("", "◆ median  ● mean", "─ shortest to longest", "█ met", "░ missed", style="dim")
    return made


def _line(spread: Spread, scale: TimeScale, width: int) -> str:
    cells = [" "] * width
    if spread.min_seconds is not None and spread.max_seconds is not None:
        first, last = (_cell(scale, at, width) for at in (spread.min_seconds, spread.max_seconds))
        cells[first : last + 1] = "─" * (last + 1 - first)
        cells[_cell(scale, spread.mean_seconds or 0, width)] = "●"
        cells[_cell(scale, spread.median_seconds or 0, width)] = "◆"
    return "".join(cells).rstrip()


def _marks(scale: TimeScale, width: int) -> str:
    line = ""
    for mark in scale.marks(5 / width):
        at = min(round(mark.place * (width - 1)), width - len(mark.label))
        if not line or at > len(line):
            line = line.ljust(at) + mark.label
    return line


def _cell(scale: TimeScale, seconds: float, width: int) -> int:
    return round(scale.place(seconds) * (width - 1))


def _bar(clock: Kept) -> str:
    if not clock.ended:
        return ""
    met = round(_BAR * clock.met / clock.ended)
    met = min(max(met, 1 if clock.met else 0), _BAR - 1 if clock.breached else _BAR)
    return "█" * met + "░" * (_BAR - met)
