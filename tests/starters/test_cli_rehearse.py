"""`incident rehearse`: stored incidents by the files of today, with the line that makes each difference."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.model.declaration import Declaration
from domain.model.timeline import Timeline
from domain.rules import paging
from domain.simulation.play import Simulation
from domain.simulation.script import look, said
from domain.values.durations import Duration
from domain.values.ids import incident_id
from pydantic import TypeAdapter
from starters.files.declarable import declarable
from starters.files.shipped import shipped_folder
from starters.files.simulated import CLASSES
from tests.builders import T0, minutes
from tests.starters.conftest import Incident, Said
from tests.starters.ledgered import alter, keep
from tests.starters.vaulted import Vaulted

NIGHT = (
    "ack at 12m by devops-lead",
    "change rollback at 14m by devops-lead",
    "approve rollback at 17m by technical-manager",
    "mitigated at 21m by devops-lead",
    "resolve at 50m by devops-lead",
)
"""An outage of which the levels of a P0 hear, to its end."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped organisation, to be written in, and where it is the organisation of the command."""
    copy = Path(shutil.copytree(shipped_folder(), tmp_path / "axis-imaging"))
    monkeypatch.setenv("INCIDENT_RUNBOOKS", str(copy))
    return copy


def lived(number: int, type_: str, severity: str, lines: tuple[str, ...], *, phi: bool = False) -> Simulation:
    """An incident under the shipped files, to its end or for three hours, as it would be on record."""
    at = T0 + minutes(600 * number)
    found = declarable(shipped_folder(), type_, "sandbox", at)
    made = {"incident_id": incident_id(at), "title": "Down", "severity": severity, "declared_at": at, "phi": phi}
    declaration = Declaration.model_validate({**found, **made, "declared_by": "devops-lead"})
    played = Simulation(declaration, CLASSES, [look("recent-deployments=suspect@2m")], sealed=True)
    played.run([said(line) for line in lines], TypeAdapter(Duration).validate_python("3h"))
    return played


@pytest.fixture
def stored(aws: Vaulted, folder: Path) -> list[str]:
    """An outage that was dealt with, one that nobody noticed for long, a breach, and something small."""
    return keep(
        aws,
        lived(1, "system-outage", "P0", NIGHT).incident,
        lived(2, "system-outage", "P0", ("ack at 40m by devops-lead",)).incident,
        lived(3, "data-breach", "P0", ("ack at 3m by security-lead",), phi=True).incident,
        lived(4, "performance", "P2", ("ack at 5m by devops-lead",)).incident,
    )


def test_nothing_differs_from_itself(incident: Incident, stored: list[str]) -> None:
    """The same release and the same files: no difference, nothing unknown, exit status 0."""
    told = incident("rehearse", "--json")
    assert (told.status, told.err) == (0, "")
    assert told.json == {"incidents": 4, "differences": [], "meant": [], "unused": [], "late": [], "unknown": []}
    assert incident("rehearse").out == "Nothing differs in 4 incidents.\n"


def write(file: Path, was: str, would_be: str) -> int:
    """Replace the first occurrence; gives the line that it stands on."""
    text = file.read_text(encoding="utf-8")
    assert was in text, was
    file.write_text(text.replace(was, would_be, 1), encoding="utf-8")
    return text[: text.index(was)].count("\n") + 1


def causes(told: Said) -> set[str]:
    return {one["because"] for one in told.json["differences"]}
