"""What the command line makes of keys that are not there, and of names that no claim can hold."""

from pathlib import Path
from typing import Any, cast

import click
import pytest

from starters.client.proving import Signing
from starters.options import Options
from tests.builders import organisation

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
