from collections import Counter
from pathlib import Path

from domain.config.runbook import TaskStep
from tests.coverage_document import DOCUMENT, permissions_of, text
from tests.iam import needed
from tests.recorded_operations import of_runbooks
from tests.runbook_coverage import ROOT, requirements, runbooks, steps

LAST_LINE = 485


def test_every_requirement_is_there_once() -> None:
    """Each id of the declared ranges has one entry, no range names an id twice, and no entry is outside of them."""
    known = requirements()
    declared = [name for chapter in known.chapters for name in chapter.ids()]
    assert [name for name, count in Counter(declared).items() if count > 1] == []
    assert (declared[0], declared[-1]) == ("R001", "R195")
    assert Counter(one.id for one in known.requirements) == Counter(declared)


def test_what_requirements_name_exists() -> None:
    """Steps are steps of the runbooks, documents and modules are files here, lines are lines of the document."""
    known, there = requirements().requirements, steps(runbooks())
    strange = [step for one in known for step in one.steps if step not in there]
    missing = [path for one in known for path in one.met_by if not (ROOT / path).is_file()]
    assert (strange, missing) == ([], [])
    for one in known:
        for span in one.lines.split(", "):
            first, _, last = span.partition("-")
            assert 1 <= int(first) <= int(last or first) <= LAST_LINE, one.id


def test_the_operations_are_really_made(tmp_path: Path) -> None:
    """Every operation that a requirement claims is made by the action of one of its steps; a human task makes none.

    Probes and notices are played in the seeded account, changes in their worlds, to the end: none fails, none goes
    without a call, and none calls what is not among its action's permissions.
    """
    made = of_runbooks(runbooks(), tmp_path)
    assert made.failed == {}
    assert [step for step, seen in made.operations.items() if not seen] == []
    unnamed = {
        name: strange
        for name, step in steps(runbooks()).items()
        if (strange := needed(made.operations.get(name, set())) - set(permissions_of(step)))
    }
    assert unnamed == {}
    tasks = {name for name, step in steps(runbooks()).items() if isinstance(step, TaskStep)}
    assert not tasks & made.operations.keys()
    unmade = {
        one.id: sorted(lacking)
        for one in requirements().requirements
        if (lacking := set(one.operations).difference(*(made.operations.get(step, set()) for step in one.steps)))
    }
    assert unmade == {}


def test_the_document_is_current() -> None:
    """docs/runbook-coverage.md is what `python -m tests.coverage_document` writes now."""
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run: python -m tests.coverage_document"
