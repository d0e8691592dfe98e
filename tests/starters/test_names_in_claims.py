"""What the command line makes of keys that are not there, and of names that no claim can hold."""

from pathlib import Path
from typing import Any, cast

import click
import pytest

from starters.client.proving import Signing
from starters.files.organisation_folder import load_organisation
from starters.files.problems import InvalidFile
from starters.options import Options
from tests.builders import organisation
from tests.organisations.folders import written

INCIDENT: dict[str, Any] = {"proofs": True, "environment": "staging", "id": "inc-20261123-7f3k", "tasks": []}


class Typed:
    """Options of somebody, whose organisation's folder holds no register."""

    def __init__(self, folder: Path, contact: str = "cto") -> None:
        self._folder, self._contact = folder, contact

    def load_organisation(self) -> Any:
        made = organisation()
        first, *rest = made.contacts
        return made.model_copy(update={"contacts": (first.model_copy(update={"id": self._contact}), *rest)})

    def folder(self) -> Path:
        return self._folder


def signing(folder: Path, key: Path | None = None, contact: str = "cto") -> Signing:
    return Signing(cast("Options", Typed(folder, contact)), key)


def test_a_key_that_was_named_and_is_not_there_is_told(tmp_path: Path) -> None:
    """Whoever says --sign-with means to sign: their note does not go out unsigned without a word."""
    with pytest.raises(click.ClickException):
        signing(tmp_path, tmp_path / "mistyped").command(INCIDENT, "note", {"by": "cto", "text": "t"})


def test_a_step_that_no_claim_can_name_is_told(tmp_path: Path) -> None:
    payload = {"by": "cto", "step": "prüfen", "reason": "r"}
    with pytest.raises(click.ClickException):
        signing(tmp_path, tmp_path / "key").command(INCIDENT, "waive_task", payload)


def test_a_contact_whom_no_claim_can_name_is_told(tmp_path: Path) -> None:
    """`organisation.yaml` takes any name; who is called so can sign nothing, and is shown a traceback."""
    with pytest.raises(click.ClickException):
        signing(tmp_path, tmp_path / "key", "zoë").command(INCIDENT, "acknowledge", {"by": "zoë"})


def test_an_empty_step_is_told(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException):
        signing(tmp_path, tmp_path / "key").command(INCIDENT, "waive_task", {"by": "cto", "step": "", "reason": "r"})


def test_an_agreement_to_nothing_says_what_is_missing(tmp_path: Path) -> None:
    """Without a proposal the incident itself would ask for the reference."""
    with pytest.raises(click.ClickException):
        signing(tmp_path).command(INCIDENT, "discharge_obligation", {"by": "cto", "step": "a", "proposal": None})


@pytest.mark.parametrize(
    ("was", "name", "where"),
    [
        ("id: master", "zoë", "organisation.yaml:13: contacts[2].id"),
        ("id: master", "m" * 201, "organisation.yaml:13: contacts[2].id"),
        ("id: blue-harbour", "blå-havn", "organisation.yaml:1: id"),
    ],
)
def test_who_could_sign_nothing_is_refused_by_the_file(tmp_path: Path, was: str, name: str, where: str) -> None:
    """Before anything is wrong: with file, line and remedy."""
    folder = written(tmp_path, {"organisation.yaml": (was, f"id: {name}")})
    with pytest.raises(InvalidFile) as refused:
        load_organisation(folder)
    (problem,) = refused.value.problems
    said = f"{name!r} cannot be signed: write it in ASCII, in 200 characters at most"
    assert str(problem) == f"{folder}/{where}: {said}"
