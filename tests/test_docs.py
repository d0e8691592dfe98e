"""The docs name what is there: files, links with their anchors, settings, items of the ledger's table, decisions."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import AliasChoices, AliasPath

from tests.forked import ROOT
from worker.settings import Settings

DOCS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "benchmarks/README.md",
        ROOT / "runbooks/example/README.md",
    ]
)
ROOMS = "activities|benchmarks|codec|deploy|docs|domain|reporting|runbooks|sandbox|starters|tests|workflows|worker"
NAMED = re.compile(rf"`((?:{ROOMS})/[\w./-]*\w/?)`")
LINK = re.compile(r"\]\(([^)\s:]*)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
ITEM = re.compile(r'f?"([a-z-]+#)')


def names(files: list[Path]) -> list[str]:
    return [str(file.relative_to(ROOT)) for file in files]


@pytest.mark.parametrize("name", names(DOCS))
def test_what_is_named_is_there(name: str) -> None:
    """Every file by its path from the root, every link by its own, to a heading if it says so."""
    file = ROOT / name
    content = file.read_text(encoding="utf-8")
    assert [one for one in NAMED.findall(content) if not (ROOT / one).exists()] == []
    assert [one for one in LINK.findall(content) if not _leads(file, one)] == []


def _leads(file: Path, link: str) -> bool:
    place, _, anchor = link.partition("#")
    to = (file.parent / place).resolve() if place else file
    return to.exists() and (not anchor or anchor in anchors(to))


def anchors(file: Path) -> Iterator[str]:
    """The names of a file's headings, as GitHub makes them."""
    for heading in HEADING.findall(file.read_text(encoding="utf-8")):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_every_setting_of_a_worker_is_told() -> None:
    told = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    variables = [_variable(name, field.validation_alias) for name, field in Settings.model_fields.items()]
    assert [one for one in variables if f"| `{one}`" not in told] == []


def _variable(field: str, alias: str | AliasPath | AliasChoices | None) -> str:
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return str(alias) if alias else f"INCIDENT_{field.upper()}"


def test_every_item_of_the_ledgers_table_is_told() -> None:
    """What code puts under a key of its own stands in the table of docs/operations.md."""
    told = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "activities").rglob("*.py"))
    found = set(ITEM.findall(code))
    assert {one for one in found if f"| `{one}" not in told} == set()
    assert "plan#" in found


def test_every_decision_has_a_number_and_a_status() -> None:
    files = sorted((ROOT / "docs/adr").glob("*.md"))
    for number, file in enumerate(files, 1):
        lines = file.read_text(encoding="utf-8").splitlines()
        assert file.name.startswith(f"{number:04d}-")
        assert lines[0].startswith(f"# {number}. ")
        assert re.fullmatch(r"(Accepted|Superseded by .+), \d{4}-\d\d-\d\d\.", lines[2]), file.name
