"""Runbooks that the program makes from an organisation's files: upkeep, which schedules declare and nobody writes."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.config.reviews import REVIEW
from domain.config.runbook import Phase, ProbeStep, Runbook, made
from domain.config.schedule import MAINTENANCE
from domain.model.scheduled import ScheduledCall
from starters.files import contact_validation as contacts
from starters.files.made_packs import PACK, compliance_pack
from starters.files.made_recovery import RECOVERY_TEST, recovery_test
from starters.files.made_reviews import runbook_review


class Files(NamedTuple):
    """What a runbook is made from: files, and for which run of a schedule."""

    folder: Path
    organisation: Organisation
    environment: Environment
    call: ScheduledCall


def drift(files: Files) -> Runbook:
    """Whether all that the environment's file names is there, and as it says: an incident for each that is not."""
    where = files.environment.name
    look = ProbeStep(
        id="drift", probe="environment.drift", title=f"Drift of {where}", opens=MAINTENANCE, key=f"drift:{where}"
    )
    return made("drift", f"Drift of {where}", _on_call(files), Phase(id="look", title="Look", steps=(look,)))


def contact_validation(files: Files) -> Runbook:
    """Whether people are reached by what the organisation's file says: an incident for each who does not answer."""
    steps = contacts.phases(*files[:3], lead=_on_call(files)[0], opens=MAINTENANCE)
    return made(contacts.KIND, f"Contacts of {files.organisation.title}", _on_call(files), *steps)


def _on_call(files: Files) -> tuple[str, ...]:
    return files.organisation.on_call or files.organisation.chain


MADE: dict[str, Callable[[Files], Runbook]] = {
    contacts.KIND: contact_validation,
    "drift": drift,
    RECOVERY_TEST: lambda files: recovery_test(*files[:3], opens=MAINTENANCE),
    REVIEW: runbook_review,
    PACK: lambda files: compliance_pack(files.organisation, files.environment, files.call, MAINTENANCE),
}
"""By what a schedule declares."""
