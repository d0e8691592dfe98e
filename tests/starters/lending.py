"""People who have others stand in for them by the command, in an organisation with a production."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from authority.delegations import counting
from domain.values.timestamps import stamp_to_second
from starters.files.delegations import load_delegations
from starters.files.identities import load_identities
from starters.files.organisation_folder import load_organisation
from tests.starters.conftest import Incident
from tests.starters.enrolled import Enrolled, enrolled, in_production

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


def until(span: timedelta = DAY) -> str:
    return stamp_to_second(NOW + span) or ""


def lend(
    role: str = "devops-lead", to: str = "privacy-officer", *more: str, ends: str | None = None
) -> tuple[str, ...]:
    return ("delegate", role, "--to", to, "--until", ends or until(), "--reason", "on leave", *more)


def lenders(incident: Incident, place: Path, monkeypatch: pytest.MonkeyPatch) -> Enrolled:
    """An organisation with a production, in which nothing runs."""
    made = enrolled(incident, place, "technical-manager", "devops-lead", "cto", "privacy-officer")
    in_production(made.folder)
    monkeypatch.setenv("INCIDENT_RUNBOOKS", str(made.folder))
    monkeypatch.setenv("INCIDENT_ENVIRONMENT", "production")
    return made


def by(home: Enrolled, who: str) -> tuple[str, ...]:
    return ("--as", who, "--sign-with", str(home.keys[who]))


def entries(folder: Path) -> list[dict[str, Any]]:
    file = folder / "delegations.yaml"
    found: list[dict[str, Any]] = yaml.safe_load(file.read_text())["delegations"] if file.exists() else []
    return found


def count(home: Enrolled) -> list[str]:
    """Who stands in for what, by what of the file counts for a worker of production."""
    people = load_organisation(home.folder)
    register = load_identities(home.folder, people.id)
    found = counting(load_delegations(home.folder, people.id, register), people, register)
    return [f"{one.to} as {one.role}" for one in found if one.ended is None]
