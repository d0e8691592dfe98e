"""What pages and mails say."""

from typing import NamedTuple

from domain.model.records import Mail, Page
from domain.model.state import IncidentState
from domain.rules import obligation_rules, tasks
from domain.values.status import Status

DRILL = "DRILL"
"""The first word of everything that a drill says to people, in subject and body: nothing is wrong."""


class Words(NamedTuple):
    """What a page or a mail says."""

    subject: str
    body: str


def marked(state: IncidentState, text: str) -> str:
    """A text as its readers get it: of a drill that comes first."""
    return f"{DRILL} {text}" if state.drill else text


def page_words(state: IncidentState, page: Page) -> Words:
    """What a page says: the reason, and what its reader is to do."""
    declaration = state.declaration
    links = "\n".join(f"{board.title}: {board.url}" for board in declaration.organisation.dashboards)
    return Words(
        marked(state, f"[{state.severity}] {declaration.runbook.title} {state.id}: {page.reason}"),
        marked(state, f"{declaration.title}\n{_ask(state, page)}\n{links}"),
    )


def _ask(state: IncidentState, page: Page) -> str:
    change = state.change(page.about) if page.about else None
    if change is not None and change.plan is not None:
        decide = f"incident approve {state.id} {change.step} --digest {change.plan.digest}"
        return f"{change.plan.summary}\nImpact: {change.plan.impact}\nDecide: {decide}"
    if state.status is Status.DECLARED:
        return f"Acknowledge: incident ack {state.id}"
    return f"Look: incident show {state.id}"


def mail_words(state: IncidentState, mail: Mail) -> Words:
    """What a reminder says: what is overdue or due soon, and how it is done."""
    duty = next((record for record in state.obligations if record.step == mail.step), None)
    task = next((task for task in state.tasks if task.step == mail.step), None)
    body = (
        obligation_rules.ask(state, duty)
        if duty
        else tasks.ask(state, task)
        if task
        else f"The plan: incident show {state.id}\nApprove: incident approve {state.id} {mail.step}"
    )
    return Words(marked(state, f"[{state.severity}] {state.id}: {mail.subject}"), marked(state, body))
