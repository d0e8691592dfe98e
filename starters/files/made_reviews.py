"""The review of every runbook of a folder, as a schedule declares it."""

from typing import TYPE_CHECKING

from domain.config.reviews import review
from domain.config.runbook import Runbook
from domain.values import limits
from starters.files.loading import load_runbook
from starters.files.organisation_folder import list_runbooks

if TYPE_CHECKING:
    from starters.files.made import Files


def runbook_review(files: "Files") -> Runbook:
    """What came of each runbook, and a task for its owner. Raises `InvalidFile`."""
    return review(list(_runbooks(files).values()))


def as_reviewed(files: "Files") -> dict[str, Runbook]:
    """The runbooks as they stand at a review: as many as fit on record, for the next one to compare with."""
    kept: dict[str, Runbook] = {}
    left = limits.PLAN
    for name, runbook in _runbooks(files).items():
        left -= limits.size(runbook.model_dump(mode="json", by_alias=True))
        if left > 0:
            kept[name] = runbook
    return kept


def _runbooks(files: "Files") -> dict[str, Runbook]:
    return {
        name: load_runbook(files.folder, name, files.organisation, files.environment)
        for name in list_runbooks(files.folder)
    }
