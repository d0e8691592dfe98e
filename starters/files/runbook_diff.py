"""What would be otherwise under another folder: in words, as people feel it, not line by line."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from activities.catalogue import CHANGES
from domain.config.approval import ApprovalRule
from domain.config.runbook import ChangeStep
from domain.config.severity_policy import SeverityPolicy
from domain.model.declaration import Declaration
from domain.rules.voting import rule_for
from domain.simulation.play import Simulation
from domain.simulation.script import said
from domain.values.durations import spoken
from domain.values.severity import Severity
from starters.files.organisation_folder import list_runbooks
from starters.files.simulated import CLASSES, simulated

_SPOKEN: dict[str, tuple[str, ...]] = {"nobody acknowledges": (), "acknowledged at 3": ("ack at 3m by {first}",)}


class Difference(NamedTuple):
    """One thing that differs in the runbook of `type`; `what` says it whole."""

    type: str
    about: str
    what: str


def differences(was: Path, would_be: Path) -> Iterator[Difference]:
    """Everything that differs between two folders, type by type. Raises as `simulated` does."""
    old, new = list_runbooks(was), list_runbooks(would_be)
    for name in sorted({*old, *new}):
        if name not in new:
            yield Difference(name, "runbook", "there is no runbook of this type any more")
        elif name not in old:
            yield Difference(name, "runbook", "there is a runbook of this type now")
        else:
            yield from of_type(was, would_be, name)


def of_type(was: Path, would_be: Path, name: str) -> Iterator[Difference]:
    """Everything that differs in the runbook of one type, which both folders have. Raises as `simulated` does."""
    old, new = (partial(simulated, folder, name) for folder in (was, would_be))
    yield from between(name, lambda severity: (old(severity.value), new(severity.value)))


def between(name: str, of: Callable[[Severity], tuple[Declaration, Declaration]]) -> Iterator[Difference]:
    """Everything that differs between two declarations of one type, which are asked for at each severity."""
    for severity in Severity:
        both = of(severity)
        if len({(one.runbook_digest, one.organisation.model_dump_json()) for one in both}) == 1:
            return
        if severity is Severity.P0:
            yield from _steps(*both)
            yield from _approvals(*both)
        ahead = max(_ahead(one.policy(severity)) for one in both)
        for when, answers in _SPOKEN.items():
            before, after = (_counted(one, answers, ahead) for one in both)
            for words in _pages(before, after, spoken(ahead)):
                yield Difference(name, "pages", f"{severity}, {when}: {words}")


def _ahead(policy: SeverityPolicy) -> timedelta:
    """Long enough for every level of the chain to be reached, and to page again once."""
    reached = [at for level in policy.levels for at in (level.unacknowledged, level.unmitigated) if at is not None]
    return max(reached, default=timedelta()) + policy.repage


Pages = dict[str, list[float]]
"""By the role, the minutes in which it is paged."""


def _counted(declaration: Declaration, answers: tuple[str, ...], ahead: timedelta) -> Pages:
    played = Simulation(declaration, CLASSES, ())
    first = declaration.runbook.on_call[0]
    played.run([said(line.format(first=first)) for line in answers], ahead)
    found: Pages = {}
    for page in played.incident.state.pages:
        found.setdefault(page.role, []).append((page.at - played.declared_at) / timedelta(minutes=1))
    return found


def _pages(old: Pages, new: Pages, ahead: str) -> Iterator[str]:
    for role in sorted({*old, *new}):
        before, after = old.get(role), new.get(role)
        if before == after:
            continue
        if after is None:
            yield f"{role} is paged no more"
        elif before is None:
            yield f"{role} is paged too, from minute {after[0]:g}"
        elif before[0] != after[0]:
            word = "earlier" if after[0] < before[0] else "later"
            yield f"{role} is paged {word}: from minute {after[0]:g} instead of {before[0]:g}"
        else:
            word = "more" if len(after) > len(before) else "less" if len(after) < len(before) else "at other times"
            yield f"{role} is paged {word}: {len(after)} pages in {ahead} instead of {len(before)}"


def _steps(old: Declaration, new: Declaration) -> Iterator[Difference]:
    """Steps that came, went, or say something else."""
    name = new.runbook.id
    before, after = (
        {step.id: (phase.id, step) for phase in one.runbook.phases for step in phase.steps} for one in (old, new)
    )
    yield from (Difference(name, step, "there is no such step any more") for step in before if step not in after)
    yield from (Difference(name, step, "there is such a step now") for step in after if step not in before)
    for step in (step for step in after if step in before):
        (phase, was), (other, would_be) = before[step], after[step]
        if phase != other:
            yield Difference(name, step, f"stands in {other} instead of {phase}")
        told, tells = (one.model_dump(mode="json", by_alias=True, exclude={"approval"}) for one in (was, would_be))
        for field in sorted(told.keys() | tells.keys()):
            if told.get(field) != tells.get(field):
                yield Difference(
                    name, step, f"{field}: {_value(tells.get(field))} instead of {_value(told.get(field))}"
                )


def _approvals(old: Declaration, new: Declaration) -> Iterator[Difference]:
    """Who must approve what, for each class that the change can have."""
    for step in new.runbook.steps():
        was = old.runbook.step(step.id)
        if not isinstance(step, ChangeStep) or not isinstance(was, ChangeStep):
            continue
        for grade in CHANGES[step.change].classes:
            before = rule_for(old.organisation, was.approval, grade)
            after = rule_for(new.organisation, step.approval, grade)
            if before != after:
                what = (
                    f"approval of class {grade} is {_weight(before, after)}: {_rule(after)} instead of {_rule(before)}"
                )
                yield Difference(new.runbook.id, step.id, what)


def _weight(before: ApprovalRule, after: ApprovalRule) -> str:
    """Whether fewer people, or more who may, are enough now."""
    wider, narrower = set(before.roles) < set(after.roles), set(after.roles) < set(before.roles)
    if (after.quorum < before.quorum and not narrower) or (wider and after.quorum <= before.quorum):
        return "weaker"
    if (after.quorum > before.quorum and not wider) or (narrower and after.quorum >= before.quorum):
        return "stronger"
    return "another"


def _rule(rule: ApprovalRule) -> str:
    return f"{rule.quorum} of {', '.join(rule.roles)}" if rule.quorum else "nobody"


def _value(value: Any) -> str:
    return "nothing" if value in (None, [], {}, "") else str(value)
