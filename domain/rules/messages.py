"""What pages and mails say."""

from typing import NamedTuple

from domain.model.records import Mail, Page
from domain.model.state import IncidentState
from domain.rules import obligation_rules, tasks
from domain.values.status import Status


class Words(NamedTuple):
    """What a page or a mail says."""

    subject: str
    body: str


def _marked(state: IncidentState) -> str:
    drill = "DRILL " if state.declaration.mode == "drill" else ""
    return f"{drill}[{state.severity}]"


def page_words(state: IncidentState, page: Page) -> Words:
    """What a page says: the reason, and what its reader is to do."""
    declaration = state.declaration
    links = "\n".join(f"{board.title}: {board.url}" for board in declaration.organisation.dashboards)
    return Words(
        f"{_marked(state)} {declaration.runbook.title} {state.id}: {page.reason}",
        f"{declaration.title}\n{_ask(state, page)}\n{links}",
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
    body = obligation_rules.ask(state, duty) if duty else tasks.ask(state, state.task(mail.step))
    return Words(f"{_marked(state)} {state.id}: {mail.subject}", body)
