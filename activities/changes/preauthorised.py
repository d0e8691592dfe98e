"""What the hands ask of a change that nobody has asked for: a pre-authorisation that holds, and is not used up.

How often one was used stands in the ledger's table, among what is used once (`activities.changes.intents`):

    pk                                 sk        what it holds
    nonce#pre-authorisation <digest>   000001    which change has used it for the first time

A place is taken with the intent by one transaction: of two changes that want the last one at once, one begins.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.action import RuleError
from activities.changes.intents import Nonce, place_taken
from activities.changes.plans import MadePlan
from activities.declared import Declared, OnRecord
from activities.house import House
from activities.ledger.table import Table
from authority.preauthorisations import Standing, standing
from domain.config.runbook import ChangeStep, Runbook
from domain.model.activity_io import ApplyRequest
from domain.model.events import ORCHESTRATOR
from domain.rules.preauthorised import covers, refused_plan
from domain.values.canonical import canonical_json
from domain.values.errors import ErrorKind
from domain.values.severity import Severity

_SOON = timedelta(seconds=1)
_ON_ITS_WAY = timedelta(minutes=1)
"""How long after its plan what raises the incident may be on its way to the record."""


class Allowed(NamedTuple):
    """Who has signed for it beforehand, and the place that it takes."""

    signers: tuple[str, ...]
    places: tuple[Nonce, ...]


def allowed(
    house: House, table: Table, asked: ApplyRequest, made: MadePlan, incident: OnRecord, at: datetime
) -> Allowed:
    """What allows a change without votes `at` that time (UTC), by the worker's own folder and the record.

    It has to hold by the store's time too: Temporal's is whatever its server says. Raises `RuleError` where nothing
    allows it, a retryable error while what raises the incident may be on its way, and `ClockError` as `Table.now`.
    """
    digest, declared = asked.preauthorised or "", Declared(house, table)
    runbook = declared.runbook(incident.runbook)
    step = runbook.step(asked.step)
    if not isinstance(step, ChangeStep) or step.evidence:
        raise _refused(digest, "changes of this kind cannot be pre-authorised")
    known = standing(house.preauthorisations(), house.organisation(), house.register())
    found = next((one for one in known if one.digest == digest), None)
    if found is None:
        raise _refused(digest, "it does not stand in this worker's folder")
    over = found.refusal(at) or found.refusal(table.now())
    if why := over or _other(house, found, asked, made, runbook, step) or refused_plan(made.plan):
        raise _refused(digest, why)
    _refuse_other_than_p0(declared, incident, asked, made, at)
    return Allowed(tuple(one.claim.by for one in found.signed), (_place(table, found, asked),))


def _refused(digest: str, why: str) -> RuleError:
    return RuleError(f"pre-authorisation {digest[:12]} does not apply: {why}")


def _other(
    house: House, one: Standing, asked: ApplyRequest, made: MadePlan, runbook: Runbook, step: ChangeStep
) -> str | None:
    """Why it is not about this change; None where it is."""
    if made.undo_of is not None:
        return "nothing is undone by it"
    if made.requested_by != ORCHESTRATOR:
        return f"the plan was made for {made.requested_by}"
    if asked.about.mode not in {"live", "drill"}:
        return f"nothing begins by itself in an incident of mode {asked.about.mode}"
    if not covers(one.terms, runbook.id, house.environment().name, step) or made.plan.action != one.terms.action:
        return f"it is not about {step.id} of {runbook.id} in {house.environment().name}"
    if canonical_json(made.params) != canonical_json({**step.params, **one.terms.set}):
        return "its parameters are others"
    return None


def _refuse_other_than_p0(
    declared: Declared, incident: OnRecord, asked: ApplyRequest, made: MadePlan, at: datetime
) -> None:
    severity = declared.severity(asked.about.incident, incident)
    if severity is Severity.P0:
        return
    why = f"{asked.about.incident} is {severity or 'of no severity'} by the record, and it is for {Severity.P0} alone"
    if at - made.at > _ON_ITS_WAY:
        raise _refused(asked.preauthorised or "", why)
    raise ApplicationError(
        why, type=ErrorKind.NOT_YET.value, next_retry_delay=_SOON, category=ApplicationErrorCategory.BENIGN
    )


def _place(table: Table, one: Standing, asked: ApplyRequest) -> Nonce:
    """The first place that is free in its whole life."""
    whose, most = f"{asked.about.incident}/{asked.step}/{asked.generation}", one.terms.most
    places = (
        Nonce(f"{number:06d}", f"pre-authorisation {one.digest}", whose, again=True) for number in range(1, most + 1)
    )
    free = next((place for place in places if not place_taken(table, place)), None)
    if free is None:
        raise _refused(one.digest, f"it was used {most} times, which is as often as it may be")
    return free
