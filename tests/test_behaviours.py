"""What we believe of AWS is written down with its source, shown somewhere, held by a test, and still documented."""

import ast
from pathlib import Path

import pytest

from tests.behaviour_document import DOCUMENT, ROOT, Behaviour, behaviours, sentences, text

_ROWS = [
    pytest.param(row, id=f"{name}-{number}") for name, rows in behaviours().items() for number, row in enumerate(rows)
]


@pytest.mark.parametrize("row", _ROWS)
def test_what_a_row_names_is_there(row: Behaviour) -> None:
    """The file that shows the behaviour, and the test that holds us to it."""
    file, _, name = row.test.partition("::")
    assert (ROOT / row.shown).is_file(), row.shown
    assert name.split("[")[0] in _functions(ROOT / file), row.test


@pytest.mark.parametrize("row", [one for one in _ROWS if one.values[0].relies_on])  # type: ignore[union-attr]
def test_aws_still_says_so(row: Behaviour) -> None:
    """A sentence that botocore no longer has, after an upgrade, may mean that AWS behaves otherwise now: look again."""
    assert row.relies_on is not None
    known = sentences(row.relies_on.service, row.relies_on.operation)
    assert row.relies_on.sha256 in known, f"{row.relies_on.operation} no longer says: {row.relies_on.takes}"


def test_the_page_is_up_to_date() -> None:
    """It says what the rows say; `python -m tests.behaviour_document` writes it anew."""
    assert DOCUMENT.read_text(encoding="utf-8") == text()


def _functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
