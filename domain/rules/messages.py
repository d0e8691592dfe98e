"""What pages and mails say."""

from typing import NamedTuple

from domain.config.organisation import Organisation
from domain.model.activity_io import PageRequest, PlanNamed
from domain.model.records import Mail, Page
from domain.model.state import IncidentState
from domain.rules import expiry, hand_over, obligation_rules, sign_of_life, tasks
from domain.values.local_time import Clock, zone_of
from domain.values.status import Status

DRILL = "DRILL"
"""The first word of everything that a drill says to people, in subject and body: nothing is wrong."""


_MOST_LINES, _LONGEST_LINE = 60, 1000


class Words(NamedTuple):
    """What a page or a mail says."""

    subject: str
    body: str


_DIGEST = 64
"""Characters: a digest of another length is of no plan that the hands have made."""


def framed(asked: PageRequest, organisation: Organisation) -> Words:
    """The whole of what goes out: the reason and what is to be done, in a frame that no request alters.

    Times are told by the organisation's clock. Every line is cut, and what is no text left out: a request may come
    from anybody.
    """
    about, told = asked.about, Clock(zone_of(organisation.timezone)).in_text
    links = [f"{board.title}: {board.url}" for board in organisation.dashboards] if asked.message == "page" else []
    title = [_line(about.title)] if asked.message == "page" else []
    body = [*title, *(_line(line) for line in told(asked.ask).splitlines()[:_MOST_LINES]), *links]
    subject = f"{asked.heading} {about.incident}: {told(asked.reason)}".strip()
    said = Words(f"[{about.severity}] {_line(subject)}", "\n".join(body))
    return Words(*(f"{DRILL} {text}" for text in said)) if about.mode == "drill" else said


def _line(text: str) -> str:
    """A text as one line of a message: printable, and of a length that a screen holds."""
    return "".join(one if one.isprintable() else " " for one in text)[:_LONGEST_LINE]


def page_words(state: IncidentState, page: Page) -> Words:
    """What a page is about: the reason, and what its reader is to do."""
    return Words(page.reason, _ask(state, page))


def _ask(state: IncidentState, page: Page) -> str:
    change = state.change(page.about) if page.about else None
    if change is not None and expiry.is_of(change):
        return expiry.ask(state, change, page.to)
    if change is not None and change.plan is not None:
        decide = f"incident approve {state.id} {change.step}"  # which shows the plan: its words are to be compared
        return f"{change.plan.summary}\nImpact: {change.plan.impact}\nDecide: {decide}"
    if page.about == hand_over.ABOUT:
        return hand_over.ask(state, page)
    if page.about == sign_of_life.ABOUT and page.to == state.commander and not state.lapsed:
        return sign_of_life.ask(state)
    if state.status is Status.DECLARED:
        return f"Acknowledge: incident ack {state.id}"
    return f"Look: incident show {state.id}"


def plan_named(state: IncidentState, letter: Page | Mail) -> PlanNamed | None:
    """The plan that a page or a mail asks its reader to decide on."""
    about = state.change(letter.about or "") if isinstance(letter, Page) else state.latest_change(letter.step)
    if about is None or expiry.is_of(about) or about.plan is None or len(about.plan.digest) != _DIGEST:
        return None
    return PlanNamed(step=about.step, generation=about.generation, digest=about.plan.digest)


def mail_words(state: IncidentState, mail: Mail) -> Words:
    """What a reminder is about: what is overdue or due soon, and how it is done."""
    duty = next((record for record in state.obligations if record.step == mail.step), None)
    task = next((task for task in state.tasks if task.step == mail.step), None)
    body = (
        obligation_rules.ask(state, duty)
        if duty
        else tasks.ask(state, task)
        if task
        else f"The plan: incident show {state.id}\nApprove: incident approve {state.id} {mail.step}"
    )
    return Words(mail.subject, body)
