"""Declarations to simulate, from an organisation's folder: as `incident start` makes them, and nothing is started."""

from datetime import UTC, datetime
from pathlib import Path

import click

from activities.catalogue import CHANGES
from domain.config.approval import ApprovalClass
from domain.model.declaration import Declaration
from starters.files.declarable import declarable
from starters.files.organisation_folder import list_environments, load_environment
from starters.files.problems import InvalidFile

CLASSES: dict[str, ApprovalClass] = {name: change.classes[0] for name, change in CHANGES.items()}
"""The class that an action's plans usually have."""


def simulated(
    folder: Path, type_: str, severity: str, *, environment: str | None = None, by: str | None = None, phi: bool = False
) -> Declaration:
    """A declaration made now. Without an environment it is in the first one that can be read.

    Raises `InvalidFile`; `UsageError` for a type without a runbook, and where no environment can be read.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    found = declarable(folder, type_, environment or _any_environment(folder), now)
    made = {
        "incident_id": "simulated",
        "title": f"Simulated {type_}",
        "severity": severity,
        "declared_at": now,
        "declared_by": by or found["organisation"]["contacts"][0]["id"],
        "phi": phi,
    }
    return Declaration.model_validate({**found, **made})


def _any_environment(folder: Path) -> str:
    for name in list_environments(folder):
        try:
            return load_environment(folder, name).name
        except InvalidFile:
            continue  # one that is still to be filled in
    raise click.UsageError(f"{folder} has no environment that is filled in: look at {folder / 'environments'}")
