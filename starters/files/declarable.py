"""What a declaration takes from an organisation's folder."""

from datetime import datetime
from pathlib import Path

from starters.files.kept import Document, kept


def declarable(folder: Path, type_: str, environment: str, now: datetime) -> Document:
    """Everything that a declaration of this type, there and now, says by the files: checked, as its JSON has it.

    It is worked out once for as long as nothing changes. Raises `InvalidFile`, `UsageError` for a type that has no
    runbook, and `RefusedError` for a place without a calendar of public holidays.
    """
    return kept(folder, (type_, environment, str(now.year)), lambda: _worked_out(folder, type_, environment, now))


def _worked_out(folder: Path, type_: str, environment: str, now: datetime) -> Document:
    import click
    from pydantic_core import to_jsonable_python

    from activities.catalogue import CHANGES
    from domain.config.runbook import ChangeStep, ProbeStep
    from starters.files.holidays import calendar
    from starters.files.loading import load_obligations, load_runbook
    from starters.files.organisation_folder import list_runbooks, load_environment, load_organisation

    known = list_runbooks(folder)
    if known and type_ not in known:
        raise click.UsageError(f"there is no runbook for {type_!r} in {folder}; known: {', '.join(known)}")
    organisation, where = load_organisation(folder), load_environment(folder, environment)
    runbook = load_runbook(folder, type_, organisation, where)
    if not any("recovery" in CHANGES[step.change].needs for step in runbook.steps() if isinstance(step, ChangeStep)):
        where = where.model_copy(update={"recovery": None})  # what goes on record with every incident is short of room
    opened = sorted({step.opens for step in runbook.steps() if isinstance(step, ProbeStep) and step.opens})
    document: Document = to_jsonable_python(
        {
            "organisation": organisation,
            "environment": where,
            "runbook": runbook,
            "runbook_digest": runbook.digest(),
            "related": {name: load_runbook(folder, name, organisation, where) for name in opened},
            "obligations": load_obligations(folder, organisation),
            "calendar": calendar(organisation, now),
        }
    )
    return document
