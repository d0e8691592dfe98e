"""Tables that the suites over the catalogue read from whichever file of tests/activities has one."""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any


@cache
def gathered(table: str, kind: str) -> dict[Any, Any]:
    """Every `table: kind = {…}` in one; not to be asked for while this folder's files are still being imported.

    Raises `ValueError` where two files have an entry of the same key.
    """
    found: dict[Any, Any] = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if f"\n{table}: {kind}" in file.read_text(encoding="utf-8"):
            more = getattr(import_module(f"tests.activities.{file.stem}"), table)
            if twice := found.keys() & more.keys():
                raise ValueError(f"{file.name} has entries of {table} that stand elsewhere too: {twice}")
            found |= more
    return found
