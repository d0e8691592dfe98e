"""What is said of a runbook that its approvers have not signed, and of one that they have."""

from collections.abc import Sequence

from domain.config.approval import vacant
from domain.config.organisation import Organisation
from domain.model.proofs import RunbookApproval


def unapproved(type_: str, version: str, lacking: Sequence[str]) -> str:
    """Why production refuses it, and what to do."""
    return (
        f"version {version} of {type_} is not approved: {_both(lacking)} must sign it first "
        f"(incident runbook approve {type_})"
    )


def role_of(approval: RunbookApproval, organisation: Organisation) -> str:
    """As whom somebody has signed: their role among those that approve; empty where they hold none of them."""
    contact = organisation.contact(approval.claim.by)
    roles = contact.roles if contact is not None else ()
    return next((role for role in organisation.runbook_approvers if role in roles), "")


def unsigned(signed: Sequence[RunbookApproval], organisation: Organisation) -> tuple[str, ...]:
    """The roles that none of these has signed for, by who holds them."""
    by = {one.claim.by for one in signed}
    return vacant(organisation.runbook_approvers, {one.id: one.roles for one in organisation.contacts if one.id in by})


def _both(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
