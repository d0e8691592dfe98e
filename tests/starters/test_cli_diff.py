"""`incident runbook diff`: what would be otherwise, in words."""

from pathlib import Path

import pytest

from starters.files.shipped import shipped_folder
from tests.starters.conftest import Incident

FROM, TO = "1 of incident-commander, technical-manager", "1 of technical-manager"
KEPT = ("system-outage.yaml", "organisation.yaml", "obligations.yaml", "environments/sandbox.yaml")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The shipped outage twice: the second to be altered."""
    made = tmp_path / "was", tmp_path / "would-be"
    for folder in made:
        for name in KEPT:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text((shipped_folder() / name).read_text(encoding="utf-8"), encoding="utf-8")
    return made


@pytest.mark.parametrize(
    ("file", "was", "would_be", "about", "what"),
    [
        (
            "organisation.yaml",
            "- {unacknowledged: 15m, unmitigated: 30m}",
            "- {unacknowledged: 10m, unmitigated: 30m}",
            "pages",
            "P0, nobody acknowledges: cto is paged earlier: from minute 10 instead of 15",
        ),
        (
            "organisation.yaml",
            "      - {unacknowledged: 30m, unmitigated: 60m}\n",
            "",
            "pages",
            "P0, acknowledged at 3: ceo is paged no more",
        ),
        (
            "organisation.yaml",
            "repage: 5m",
            "repage: 10m",
            "pages",
            "P0, nobody acknowledges: devops-lead is paged less: 8 pages in 1h 10m instead of 15",
        ),
        (
            "system-outage.yaml",
            "approval: {roles: [incident-commander, technical-manager], quorum: 1}",
            "approval: {roles: [technical-manager], quorum: 1}",
            "rollback",
            f"approval of class A2 is stronger: {TO} instead of {FROM}",
        ),
        (
            "system-outage.yaml",
            "  - id: investigation",
            "  - id: looking-into-it",
            "error-logs",
            "stands in looking-into-it instead of investigation",
        ),
        ("system-outage.yaml", "id: error-logs", "id: logs", "logs", "there is such a step now"),
        ("system-outage.yaml", "id: error-logs", "id: logs", "error-logs", "there is no such step any more"),
    ],
)
def test_what_differs_is_said(
    incident: Incident, folders: tuple[Path, Path], file: str, was: str, would_be: str, about: str, what: str
) -> None:
    """Who is paged earlier, later or no more, whose approval is enough now, which step is another."""
    altered = folders[1] / file
    text = altered.read_text(encoding="utf-8")
    assert was in text
    altered.write_text(text.replace(was, would_be), encoding="utf-8")
    said = incident("runbook", "diff", *map(str, folders), "--json")
    assert said.status == 0, said.err
    assert {"type": "system-outage", "about": about, "what": what} in said.json["differences"]


def test_the_same_differs_in_nothing(incident: Incident, folders: tuple[Path, Path]) -> None:
    assert incident("runbook", "diff", *map(str, folders)).out == "Nothing differs.\n"


def test_a_type_that_came_is_said(incident: Incident, folders: tuple[Path, Path]) -> None:
    (folders[0] / "system-outage.yaml").unlink()
    [one] = incident("runbook", "diff", *map(str, folders), "--json").json["differences"]
    assert one["what"] == "there is a runbook of this type now"
