"""Printing for people: tables, times in the organisation's zone, and text without terminal control characters."""

import re
import sys
import textwrap
from datetime import tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from rich.console import Console, RenderableType
from rich.table import Table

from domain.values.local_time import Clock
from starters.cli.output import print_json
from starters.files.problems import InvalidFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from activities.ledger.incidents import Unreadable
    from starters.options import Options

_PIPE_WIDTH = 140
_TYPED = frozenset({"Id", "Incident", "Step", "Key"})
"""Columns of what people type again: it is not broken where the others keep `_LEFT_OVER` columns each."""
_LEFT_OVER = 6


def console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is; 140 columns wide if it is not a terminal."""
    made = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not made.is_terminal:
        made.width = _PIPE_WIDTH
    return made


def is_interactive() -> bool:
    """Whether somebody can be shown a plan and asked: stdout may go elsewhere, as it belongs to the result."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def clean(value: Any) -> str:
    """Untrusted text without control characters, which could take over a terminal; None becomes empty."""
    text = "" if value is None else str(value)
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)


def table(title: str | None, *columns: str, rows: "Iterable[Sequence[Any]]" = (), lines: bool = False) -> Table:
    """A table whose long cells wrap, of untrusted values; `lines` stand between the rows.

    Ids that people type again stay whole, unless the terminal is too narrow for that.
    """
    made = Table(title=title, title_justify="left", title_style="bold", header_style="bold", show_lines=lines)
    cells = [[clean(value) for value in row] for row in rows]
    typed = {at for at, column in enumerate(columns) if column in _TYPED}
    whole = sum(max((len(row[at]) for row in cells), default=0) for at in typed)
    framed = 3 * len(columns) + 1
    fits = whole + framed + _LEFT_OVER * (len(columns) - len(typed)) <= console().width
    for at, column in enumerate(columns):
        made.add_column(column, overflow="fold", no_wrap=fits and at in typed)
    for row in cells:
        made.add_row(*row)
    return made


def answer(options: "Options", document: Any, parts: "Callable[[], Iterable[RenderableType]]") -> None:
    """Print what a command came to: the document with --json, else its parts, one below the other."""
    if options.as_json:
        print_json(document)
    else:
        show(*parts())


def show(*parts: RenderableType) -> None:
    """Print parts on stdout, one below the other."""
    out = console()
    for part in parts:
        out.print(part)


def folded(line: str, width: int | None = None) -> str:
    """Wrap a line at the terminal's width, indented under its text.

    A line that does not go to a terminal is not wrapped, unless a `width` is given.
    """
    out = console()
    width = width or (out.width if out.is_terminal else None)
    if width is None or len(line) <= width:
        return line
    label = re.match(r" *(?:\S+ {2,}|- )?", line)
    under = " " * (label.end() if label else 0)
    return textwrap.fill(line, width, subsequent_indent=under, break_long_words=False, break_on_hyphens=False)


def clock(options: "Options") -> Clock:
    """The organisation's clock; UTC, with a warning, if its file cannot be read, as reading must not depend on it."""
    try:
        zone: tzinfo = ZoneInfo(options.load_organisation().timezone)
    except (InvalidFile, ZoneInfoNotFoundError, ValueError) as error:
        click.echo(f"Warning: times are in UTC ({str(error).splitlines()[0]})", err=True)
        zone = ZoneInfo("UTC")
    return Clock(zone)


def unreadable(incidents: "Sequence[Unreadable]") -> Table:
    """The ledger's incidents that could not be read, and why."""
    return table("Unreadable", "Incident", "Why", rows=incidents)
