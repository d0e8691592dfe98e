"""Write docs/runbook-coverage.md: `python -m tests.coverage_document`."""

import ast
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

from activities.catalogue import CHANGES, NOTICES, PROBES
from domain.config.runbook import AnyStep
from tests.activities.catalogue_worlds import worlds
from tests.runbook_coverage import ROOT, Chapter, Requirement, Requirements, action, requirements, runbooks, steps

DOCUMENT = ROOT / "docs" / "runbook-coverage.md"
_ACTIONS: dict[str, type[Any]] = {**PROBES, **CHANGES, **NOTICES}
_SUITE = "tests/activities/test_change_catalogue.py"
_HEAD = """# What the runbook asks for, and where it is

Written by `python -m tests.coverage_document` from
[requirements.yaml](../runbooks/axis-imaging/requirements.yaml) and the runbooks beside it; edit those. A test
refuses operations that a step's action does not really make, and this page when it is not what would be written now.

`lines` are those of {document}. *partly* and *later* say what this
release does not do yet. Actions are those of the steps in the same row; a step without one is a human task. Tests are
files that name the action, or import its class or the world that it is tried in.
"""


def text() -> str:
    """The whole page, as the requirements and the runbooks stand."""
    known = requirements()
    of = steps(runbooks())
    parts = [_HEAD.format(document=known.document), _counts(known)]
    parts += [_chapter(chapter, known.of(chapter), of) for chapter in known.chapters]
    return "\n".join(parts)


def _counts(known: Requirements) -> str:
    rows = [(chapter.title, known.of(chapter)) for chapter in known.chapters]
    lines = ["| chapter | requirements | met | partly | later |", "|---|---|---|---|---|"]
    lines += [_counted(title, found) for title, found in rows]
    lines.append(_counted("**all**", known.requirements))
    return "\n".join(lines) + "\n"


def _counted(title: str, found: Iterable[Requirement]) -> str:
    states = Counter(one.state for one in found)
    return f"| {title} | {states.total()} | {states['met']} | {states['partly']} | {states['later']} |"


def _chapter(chapter: Chapter, found: list[Requirement], of: dict[str, AnyStep]) -> str:
    lines = [
        f"## {chapter.title}",
        "",
        "| | lines | what | state | met by | actions | operations | tests |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(one, of) for one in found]
    return "\n".join(lines) + "\n"


def _row(one: Requirement, of: dict[str, AnyStep]) -> str:
    named = [name for step in one.steps if (name := action(of[step])) is not None]
    actions = list(dict.fromkeys(named))
    tests = sorted({file for name in actions for file in tests_of(name)})
    state = f"{one.state}: {one.later}" if one.later else one.state
    cells = [
        one.id,
        one.lines,
        one.says,
        state,
        _listed([*one.steps, *one.met_by]),
        _listed(actions),
        _listed(one.operations),
        _listed(tests),
    ]
    return f"| {' | '.join(cells)} |"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def tests_of(name: str) -> list[str]:
    """The test files that exercise an action: they name it, or import its class or the world that it is tried in."""
    kind = _ACTIONS[name]
    wanted = {name, f"{kind.__module__}.{kind.__name__}"}
    found = {file for file, named in _named().items() if wanted & named}
    if name in worlds():
        world, _ = worlds()[name]
        needle = f"{world.__module__}.{world.__name__}"
        found |= {_SUITE} | {file for file, named in _named().items() if needle in named}
    return sorted(found)


def permissions_of(step: AnyStep) -> tuple[str, ...]:
    """The permissions that a step's action names; none for what people do."""
    name = action(step)
    return () if name is None else _ACTIONS[name].permissions


@cache
def _named() -> dict[str, set[str]]:
    """By test file, its texts and what it imports, as `module.name`; not those of this coverage's own test."""
    files = sorted(file for file in (ROOT / "tests").rglob("test_*.py") if file.name != "test_runbook_coverage.py")
    return {str(file.relative_to(ROOT)): _names(ast.parse(file.read_text(encoding="utf-8"))) for file in files}


def _names(module: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.ImportFrom):
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")
