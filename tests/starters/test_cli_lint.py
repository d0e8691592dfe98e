"""`incident runbook lint` as somebody meets it who adapts a copy of a folder to an organisation of their own."""

import re
import shutil
from pathlib import Path

from starters.files.loading import lint
from starters.files.shipped import shipped_folder
from tests.organisations.folders import written
from tests.starters.conftest import Incident


def test_a_folder_names_the_environments_that_cannot_be_used_yet(incident: Incident, tmp_path: Path) -> None:
    """Placeholders are no problem of a folder, which exits 0: but nobody may take it for finished."""
    folder = Path(shutil.copytree(shipped_folder(), tmp_path / "clinic"))
    production = folder / "environments" / "production.yaml"
    count = incident("runbook", "lint", str(production)).err.count(" is a placeholder; ")
    assert count
    said = incident("runbook", "lint", str(folder))
    assert said.status == 0
    assert f"{production} cannot be used yet: {count} placeholders are left" in said.err
    assert "sandbox.yaml" not in said.err
    for path in (folder, tmp_path):
        assert incident("runbook", "lint", str(path), "--json").json["placeholders"][str(production)] == count


def test_problems_are_counted(incident: Incident, tmp_path: Path) -> None:
    """A role that nobody holds any more is many problems in many files; the last line says how many."""
    folder = Path(shutil.copytree(shipped_folder(), tmp_path / "clinic"))
    people = folder / "organisation.yaml"
    people.write_text(people.read_text().replace("roles: [legal-counsel]", "roles: [lawyer]"))
    found = lint(folder)
    said = incident("runbook", "lint", str(folder))
    assert said.status == 2
    files = {problem.file for problem in found}
    assert len(files) > 1
    assert said.err.endswith(f"{len(found)} problems in {len(files)} files\n")


def test_where_an_environment_has_none_of_a_kind_the_remedy_is_told(tmp_path: Path) -> None:
    """A name is not to be removed "among" what is not there at all."""
    folder = written(tmp_path)
    file = folder / "environments" / "docks.yaml"
    file.write_text(re.sub(r"(?m)^services:\n(  .*\n)+", "", file.read_text()))
    messages = {problem.message for problem in lint(folder)}
    assert "environment docks has no services; add 'timetable' to them, or leave this step out" in messages
