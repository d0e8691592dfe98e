"""What is kept in deploy/ is what `make iam` writes now, for any environment."""

import json
from pathlib import Path

import pytest

from activities.permissions.roles import CONSOLE, roles
from deploy.policies import files, tables
from deploy.policies.__main__ import main
from starters.files.shipped import shipped_folder


def test_the_files_are_current() -> None:
    """Each says what actions declare, and none is left of a role that is no more."""
    expected = files.shipped()
    stale = {
        str(path.relative_to(files.DEPLOY))
        for path, text in expected.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    assert stale == set(), "run: make iam"
    assert set((files.DEPLOY / "iam").glob("*.json")) == {path for path in expected if path.suffix == ".json"}


def test_the_tables_of_the_document_are_current() -> None:
    """docs/security.md says what each role may do."""
    assert tables.DOCUMENT.read_text(encoding="utf-8") == tables.text(), "run: make iam"


def test_every_role_has_a_file_but_the_console() -> None:
    """The console has no rights, so there is no policy to give it."""
    names = {path.stem for path in files.shipped()}
    assert set(roles()) - names == {CONSOLE}


def test_another_environment_goes_where_it_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its policies name its resources, and what is kept here stays as it is."""
    given = shipped_folder() / "environments" / "sandbox.yaml"
    (tmp_path / "environments").mkdir()
    own = tmp_path / "environments" / "clinic.yaml"
    text = given.read_text(encoding="utf-8").replace("name: sandbox", "name: clinic")
    own.write_text(text.replace("123456789012", "210987654321"), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["iam", "--environment", str(own), "--into", str(tmp_path / "made")])
    main()
    policy = json.loads((tmp_path / "made" / "iam" / "worker.json").read_text(encoding="utf-8"))
    assert policy["Statement"][-1]["Resource"] == ["arn:aws:iam::210987654321:role/incident-clinic-*"]
    assert "ledger_table" in (tmp_path / "made" / "stack.yaml").read_text(encoding="utf-8")
