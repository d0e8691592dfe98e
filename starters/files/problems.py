"""What is wrong with a file that people write, said so that they can mend it."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import click


class Problem(NamedTuple):
    """One thing to mend. `line` counts from 1; None where there is no file to point into."""

    file: Path
    line: int | None
    field: str
    message: str

    def __str__(self) -> str:
        """`path:line: field: what is wrong; remedy`."""
        where = str(self.file) if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (where, self.field, self.message) if part)


class InvalidFile(click.ClickException):
    """A file of an organisation's folder is refused; `problems` holds everything that is wrong, in order of lines."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sort by file and line; what is said twice is said once."""
    return sorted(set(problems), key=lambda p: (str(p.file), p.line or 0, p.field, p.message))
