"""What hangs on one contact: what nobody else holds or could give, and where they come first."""

from collections.abc import Iterable, Iterator

from domain.config.approval import ApprovalRule
from domain.config.obligation import Obligations
from domain.config.organisation import Contact, Organisation
from domain.config.runbook import ChangeStep, Runbook
from domain.rules.voting import strongest


def duties(
    contact: Contact, organisation: Organisation, obligations: Obligations, runbooks: Iterable[Runbook]
) -> Iterator[str]:
    """Say in a line each what would be missing while a contact cannot be reached; nothing where nothing would."""
    books = list(runbooks)
    levels = [number for number, role in enumerate(organisation.chain, start=1) if role in contact.roles]
    owned = [one.id for one in obligations.obligations if one.owner in contact.roles]
    signed = [one.id for one in obligations.obligations if set(one.signers) & set(contact.roles)]
    first = [book.id for book in books if contact in organisation.holders(book.on_call[0])]
    found: dict[str, Iterable[object]] = {
        "Roles that nobody else holds": [role for role in contact.roles if organisation.holders(role) == (contact,)],
        "First on call in": first,
        "Levels of the chain": levels,
        "Approvals that nobody could give without them": _approvals(contact, organisation, books),
        "Obligations that they own": owned,
        "Obligations that they sign": signed,
    }
    for what, which in found.items():
        if said := ", ".join(map(str, which)):
            yield f"{what}: {said}"


def _approvals(contact: Contact, organisation: Organisation, runbooks: list[Runbook]) -> Iterator[str]:
    """The classes, and the steps with a rule of their own, for which too few would be left, whoever asked."""
    others = tuple(one for one in organisation.contacts if one.id != contact.id)
    without = organisation.model_copy(update={"contacts": others})
    rules: dict[str, ApprovalRule] = {f"class {grade}": rule for grade, rule in organisation.approval.items()}
    for book in runbooks:
        for step in book.steps():
            if isinstance(step, ChangeStep) and step.approval is not None:
                rules[f"{step.id} of {book.id}"] = step.approval
    for name, rule in rules.items():
        if _enough(organisation, rule) and not _enough(without, rule):
            yield name


def _enough(organisation: Organisation, rule: ApprovalRule) -> bool:
    strength = strongest(organisation, rule).strength() if organisation.contacts else 0
    return strength >= rule.quorum
