"""Tables on a narrow terminal: what people type again is whole, nothing is cut, and an empty table is a sentence."""

import io

import pytest
from rich.console import Console

from sandbox.command import _print_table
from starters.cli import terminal

IDS = ["inc-20261128-907e", "compliance-notifications"]
ROWS = [(one, "A title that is much too long for what is left of the line", "development-lead, cto") for one in IDS]


def drawn(monkeypatch: pytest.MonkeyPatch, width: int) -> str:
    """A table as a terminal of that width shows it."""
    written = io.StringIO()
    screen = Console(width=width, file=written, markup=False)
    monkeypatch.setattr(terminal, "console", lambda: screen)
    screen.print(terminal.table("Tasks", "Step", "Task", "Owner", rows=ROWS))
    return written.getvalue()


@pytest.mark.parametrize("width", [50, 80, 140])
def test_a_step_that_is_typed_again_is_not_broken(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    text = drawn(monkeypatch, width)
    assert all(one in text for one in IDS)
    assert max(map(len, text.splitlines())) <= width


def test_where_nothing_else_would_have_room_it_is_broken_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = drawn(monkeypatch, 30).splitlines()
    assert max(map(len, lines)) <= 30
    first = [line.split("│")[1].strip() for line in lines if line.startswith("│")]
    assert "".join(first) == "".join(IDS)


def test_what_was_sent_fits_into_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who got it stands above their role, the subject above the text; a status post has no role and no subject."""
    entry = {"at": "2026-11-28T06:02:35.016Z", "channel": "statuspage", "to": "axis-imaging", "role": None}
    entry |= {"subject": None, "body": "The problem is resolved", "incident": IDS[0]}
    monkeypatch.setattr(terminal, "_PIPE_WIDTH", 80)
    _print_table([entry])
    said = capsys.readouterr().out
    assert IDS[0] in said
    assert max(map(len, said.splitlines())) <= 80
    _print_table([])
    assert capsys.readouterr().out == "Nothing sent yet\n"
