"""Whether somebody could approve every change that a runbook offers, of whatever class its plan turns out to be."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from activities.action import ChangeAction
from activities.catalogue import CHANGES
from domain.config.approval import ApprovalClass, ApprovalRule
from domain.config.names import Flaw, Keys, mapping, strange
from domain.config.organisation import COMMANDER, Organisation
from domain.config.runbook import steps
from domain.rules.voting import rule_for, weakest
from starters.files.action_checks import action_of


def of_runbook(data: Mapping[str, Any], organisation: Organisation) -> Iterator[Flaw]:
    """Those who must approve exist, and there are enough of them whoever asks for the change and whoever commands."""
    for at, step in steps(data):
        found = action_of(step)
        if found is None or found[0] != "change":
            continue
        change = CHANGES.get(step["change"])
        if "approval" in step:
            own = (*at, "approval"), mapping(step["approval"]), organisation, change.classes if change else ()
            yield from _own(*own)
        elif change is not None:
            yield from _by_class((*at, "change"), change, organisation)


def _own(
    at: Keys, written: Mapping[str, Any], organisation: Organisation, classes: Sequence[ApprovalClass]
) -> Iterator[Flaw]:
    """A step's own rule, which holds for every class that its action's plans can have."""
    missing = [*strange((*at, "roles"), written.get("roles"), organisation.held() | {COMMANDER}, "role")]
    yield from missing
    try:
        rule = ApprovalRule.model_validate(written)
    except ValidationError:
        return  # the runbook's model says what is wrong
    grave = [grade.value for grade in classes if rule.quorum == 0 and grade.unnamed.quorum]
    if rule.quorum == 0 and rule.roles:
        yield Flaw((*at, "roles"), "with a quorum of 0 whoever requests it decides; leave the roles out, or ask for 1")
    if grave:
        said = f"a change of class {' or '.join(grave)} is not its requester's own to decide; name roles and a quorum"
        yield Flaw((*at, "quorum"), said)
    elif not missing and (why := _lacking(organisation, rule)):
        yield Flaw((*at, "quorum"), f"{why}; name more roles or ask for fewer")


def _by_class(at: Keys, change: type[ChangeAction[Any]], organisation: Organisation) -> Iterator[Flaw]:
    """The organisation's rule for each class that a plan of this change may have."""
    for grade in change.classes:
        named = organisation.approval.get(grade)
        if named is not None and named.quorum == 0 and grade.unnamed.quorum:
            said = f"it is not its requester's own to decide; name roles and a quorum for approval.{grade}"
        elif named is None and grade.unnamed.quorum:
            said = f"nobody is named to approve it; add {grade} under approval: in organisation.yaml"
        elif why := _lacking(organisation, rule_for(organisation, None, grade)):
            said = f"{why}; mend approval.{grade} in organisation.yaml"
        else:
            continue
        message = f"{change.name!r} can be of class {grade}: {said}, or write an approval: for this step"
        yield Flaw(at, message)


def _lacking(organisation: Organisation, rule: ApprovalRule) -> str | None:
    """In which case too few could approve by a rule; None where there are always enough."""
    case = weakest(organisation, rule)
    able = case.strength()
    if able >= rule.quorum:
        return None
    voters = case.voters()
    who = f"only {', '.join(voters)} can" if able else "nobody can"
    if able < len(voters):
        who = f"only {able} of {', '.join(voters)} can, as no role counts twice"
    asks = f"{case.requester} asks"
    if COMMANDER in rule.roles:
        asks += " and commands" if case.commander == case.requester else f" and {case.commander} commands"
    return f"{rule.quorum} of {', '.join(rule.roles) or 'no role'} must approve, but when {asks}, {who}"
