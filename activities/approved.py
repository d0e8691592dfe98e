"""Whether a runbook is one that the organisation's approvers have signed: by the worker's own files, as they stand now.

Production asks for it where something would be changed, or somebody outside told. What pages people, looks, or keeps
evidence never waits for a signature.
"""

from activities.action import RuleError
from activities.house import House
from authority.approvals import carried, lacking
from authority.preauthorisations import refuse_carried
from authority.proofs import UnprovenError
from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.config.runbook import Runbook
from domain.model.declaration import Declaration
from domain.rules.approving import unapproved


def are_asked(environment: Environment, organisation: Organisation) -> bool:
    """Whether runbooks have to be signed there: in production, where the organisation names who signs."""
    return environment.kind == "production" and bool(organisation.runbook_approvers)


def refuse_unapproved(house: House, runbook: Runbook) -> None:
    """Raise `RuleError` for a runbook that somebody has to sign yet, in production."""
    environment, organisation = house.environment(), house.organisation()
    if not are_asked(environment, organisation):
        return
    if left := lacking(runbook.digest(), house.approvals(), organisation, house.register()):
        raise RuleError(unapproved(runbook.id, runbook.version, left))


def refuse_declaration(house: House, declaration: Declaration) -> None:
    """Raise `RuleError` for a declaration with a signature that is none, or that hides what production lacks.

    Signatures count that came with it and do not stand in the worker's folder yet. What an incident has opened hides
    nothing: nobody was there to be told.
    """
    organisation, register, known = house.organisation(), house.register(), house.approvals()
    came = []
    for one in declaration.approvals:
        try:
            came.append(carried(one.model_dump(mode="json"), organisation.id, register, known))
        except UnprovenError as error:
            raise RuleError(
                f"{declaration.incident_id} has a signature of {one.claim.by[:80]} that proves nothing: {error}"
            ) from None
    for given in declaration.preauthorisations:
        try:
            refuse_carried(given, organisation.id, register, house.preauthorisations())
        except UnprovenError as error:
            reason = f"{declaration.incident_id} has a pre-authorisation that proves nothing: {error}"
            raise RuleError(reason) from None
    if not are_asked(house.environment(), organisation) or declaration.lacking or declaration.opened_by is not None:
        return
    runbook = declaration.runbook
    if left := lacking(runbook.digest(), [*known, *came], organisation, register):
        raise RuleError(unapproved(runbook.id, runbook.version, left))
