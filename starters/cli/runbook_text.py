"""A runbook as readable text: its phases and their steps."""

from collections.abc import Iterable, Iterator, Sequence

from activities.catalogue import CHANGES
from domain.config.approval import ApprovalRule
from domain.config.organisation import Organisation
from domain.config.runbook import ChangeStep, NoticeStep, ObligationStep, Phase, ProbeStep, Runbook, TaskStep
from domain.rules.voting import rule_for
from domain.values.durations import spoken

_UNDER = " " * 12
_OPEN: tuple[object, ...] = (None, [], ())
"""The values of a parameter that is left to the requester of the change."""


def lines(book: Runbook, organisation: Organisation) -> Iterator[str]:
    """Write the whole runbook, line by line."""
    yield f"{book.title} ({book.id}, version {book.version})"
    yield f"Owner: {book.owner}"
    yield "On call, in order: " + ", ".join(book.on_call)
    if book.page_at_once:
        yield "Paged at once: " + ", ".join(book.page_at_once)
    if book.page_at_once_with_phi:
        yield "Paged at once if sensitive information is affected: " + ", ".join(book.page_at_once_with_phi)
    for severity in book.severities:
        policy = organisation.severities[severity]
        first = "all leads" if policy.page_all_leads else "the first lead"
        again, answer = spoken(policy.repage), spoken(policy.respond)
        yield f"{severity}: pages {first} at once, then every {again}; acknowledge within {answer}"
    if book.symptoms:
        yield "Symptoms:"
        yield from (f"  - {symptom}" for symptom in book.symptoms)
    for phase in book.phases:
        yield ""
        yield from _phase(phase, organisation)


def _phase(phase: Phase, organisation: Organisation) -> Iterator[str]:
    start = "" if phase.starts == "declared" else f", once it is {phase.starts}"
    within = "" if phase.within is None else f", within {spoken(phase.within)}"
    yield f"{phase.title}{start}{within}"
    for step in phase.steps:
        if isinstance(step, ProbeStep):
            yield f"  look    {step.id}: {step.title} [{step.probe}{_with(step.params)}]"
            yield from _consequence(step)
        elif isinstance(step, ChangeStep):
            verb = "start" if step.evidence else "offer"
            yield f"  {verb}   {step.id}: {step.title} [{step.change}{_with(step.params)}]"
            yield from _offer(step, organisation)
        elif isinstance(step, NoticeStep):
            yield f"  notify  {step.id}: {step.title} [{step.notice}]{_moment(step)}"
        elif isinstance(step, ObligationStep):
            yield f"  owe     {step.id}: {step.obligation} of obligations.yaml"
        else:
            yield f"  do      {step.id}: {step.task} ({_details(step)})"


def _consequence(step: ProbeStep) -> Iterator[str]:
    """What a suspect finding does by itself."""
    if step.raises_to:
        yield f"{_UNDER}if suspect, raises the severity to {step.raises_to}"
    if step.opens:
        yield f"{_UNDER}if suspect, opens an incident of type {step.opens}"


def _offer(step: ChangeStep, organisation: Organisation) -> Iterator[str]:
    if step.evidence:
        yield f"{_UNDER}starts by itself at declaration: it preserves evidence"
    if step.suggested_by:
        yield f"{_UNDER}suggested if {_either(step.suggested_by)} is suspect"
    if step.ask:
        yield f"{_UNDER}asks for {', '.join(step.ask)}"
    if step.evidence_first:
        yield f"{_UNDER}waits for {' and '.join(step.evidence_first)} to start, for at most five minutes"
    for grade in CHANGES[step.change].classes:
        yield f"{_UNDER}class {grade}: {_approval(rule_for(organisation, step.approval, grade))}"


def _approval(rule: ApprovalRule) -> str:
    if rule.quorum == 0:
        return "approved by its requester"
    if rule.quorum == 1:
        return f"needs {_either(rule.roles)}"
    if rule.quorum == len(rule.roles):
        return f"needs both {' and '.join(rule.roles)}" if rule.quorum == 2 else f"needs all of {', '.join(rule.roles)}"
    return f"needs {rule.quorum} of {', '.join(rule.roles)}"


def _moment(step: NoticeStep) -> str:
    when = "at once" if not step.after else f"{spoken(step.after)} later"
    unless = f", unless {_either(step.unless)} found the cause" if step.unless else ""
    return f" when {step.on}, {when}{unless}"


def _details(step: TaskStep) -> str:
    due = "" if step.due is None else f", due in {spoken(step.due)}"
    if step.due_business_days:
        due = ", due in " + ", ".join(f"{d} working days ({s})" for s, d in step.due_business_days.items())
    if step.opened_by:
        due += f", once {' or '.join(step.opened_by)}"
    if step.until_undone:
        due += f", until {step.until_undone} is undone"
        due += f" by {step.undone_by}" if step.undone_by else ""
    return f"{step.owner}{due}" + ("" if step.required else ", optional")


def _with(params: dict[str, object]) -> str:
    """Write parameters as `--set` takes them; those left to the requester are omitted."""
    return "".join(f" {name}={_plain(value)}" for name, value in params.items() if value not in _OPEN)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ",".join(map(str, value))
    return str(value)


def _either(names: Sequence[str]) -> str:
    """Write `a`, `a or b`, `a, b or c`."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
