"""A runbook as a person reads it: phases, and what happens, is offered and is asked for in each."""

from collections.abc import Iterator

from activities.catalogue import CHANGES
from domain.approval import DEFAULT_RULES, ApprovalRule
from domain.durations import spoken
from domain.organisation import Organisation
from domain.runbook import ChangeStep, NoticeStep, ObligationStep, Phase, ProbeStep, Runbook, TaskStep


def lines(book: Runbook, organisation: Organisation) -> Iterator[str]:
    """Write the whole runbook, line by line."""
    yield f"{book.title} ({book.id}, version {book.version})"
    yield f"Owner: {book.owner}"
    yield "On call, in order: " + ", ".join(book.on_call)
    if book.page_at_once:
        yield "Paged at once: " + ", ".join(book.page_at_once)
    for severity in book.severities:
        policy = organisation.severities[severity]
        first = "all leads" if policy.page_all_leads else "the first lead"
        again, answer = spoken(policy.repage), spoken(policy.respond)
        yield f"{severity}: pages {first} at once and again every {again}; answer due in {answer}"
    if book.symptoms:
        yield "Symptoms:"
        yield from (f"  - {symptom}" for symptom in book.symptoms)
    for phase in book.phases:
        yield ""
        yield from _phase(phase)


def _phase(phase: Phase) -> Iterator[str]:
    start = "" if phase.starts == "declared" else f", from the moment it is {phase.starts}"
    within = "" if phase.within is None else f", within {spoken(phase.within)}"
    yield f"{phase.title} ({phase.id}{start}{within})"
    for step in phase.steps:
        if isinstance(step, ProbeStep):
            yield f"  look    {step.id}: {step.title} [{step.probe}{_with(step.params)}]"
        elif isinstance(step, ChangeStep):
            yield f"  offer   {step.id}: {step.title} [{step.change}{_with(step.params)}]"
            yield from _offer(step)
        elif isinstance(step, NoticeStep):
            yield f"  tell    {step.id}: {step.title} [{step.notice}]{_moment(step)}"
        elif isinstance(step, ObligationStep):
            yield f"  owe     {step.id}: {step.obligation} of obligations.yaml"
        else:
            yield f"  do      {step.id}: {step.task} ({_duty(step)})"


def _offer(step: ChangeStep) -> Iterator[str]:
    if step.suggested_by:
        yield f"            suggested when {' or '.join(step.suggested_by)} finds something suspect"
    if step.ask:
        yield f"            asks for {', '.join(step.ask)}"
    kind = CHANGES[step.change].approval_class
    yield f"            class {kind}: {_approval(step.approval or DEFAULT_RULES[kind])}"


def _approval(rule: ApprovalRule) -> str:
    if rule.quorum == 0:
        return "needs nobody's approval"
    roles = " or ".join(rule.roles)
    return f"needs {rule.quorum} of {roles}" if rule.quorum > 1 else f"needs {roles}"


def _moment(step: NoticeStep) -> str:
    when = "at once" if not step.after else f"{spoken(step.after)} later"
    unless = f", unless {' or '.join(step.unless)} found the cause" if step.unless else ""
    return f" when {step.on}, {when}{unless}"


def _duty(step: TaskStep) -> str:
    due = "" if step.due is None else f", due in {spoken(step.due)}"
    if step.due_business_days:
        due = ", due in " + ", ".join(f"{d} working days ({s})" for s, d in step.due_business_days.items())
    if step.opened_by:
        due += f", once {' or '.join(step.opened_by)}"
    return f"{step.owner}{due}" + ("" if step.required else ", optional")


def _with(params: dict[str, object]) -> str:
    return "".join(f" {name}={value}" for name, value in params.items())
