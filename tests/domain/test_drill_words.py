"""What a drill says to people begins with the word, whatever it is about and by whichever channel it goes."""

from datetime import timedelta

import pytest

from activities.channels.telephone import short_text
from domain.model.activity_io import PageRequest
from domain.model.calls import PageCall
from domain.model.commands import Acknowledge, Mitigated, RequestChange
from domain.model.events import Message
from domain.model.records import Mail, Page
from domain.model.state import IncidentState
from domain.rules import messages
from domain.rules.live import LiveIncident
from domain.rules.next_steps import next_steps
from tests.activities.scopes import environment
from tests.builders import T0, declaration, owed
from tests.domain.speaking import say


def course(mode: str) -> LiveIncident:
    """From the declaration to a reminder of work left over, with a duty and an approval on the way."""
    played = LiveIncident.declared(declaration(mode=mode, phi=True, obligations=owed()))
    for minutes in range(0, 180, 5):
        played.pass_time(T0 + timedelta(minutes=minutes))
    at = T0 + timedelta(hours=3)
    say(played, "acknowledge", Acknowledge(by="devops-lead"), at)
    say(played, "request_change", RequestChange(by="devops-lead", step="promote"), at)
    say(played, "mitigated", Mitigated(by="devops-lead", summary="over"), at)
    played.pass_time(at + timedelta(days=40))
    return played


def said(played: LiveIncident) -> list[messages.Words]:
    """Every page and mail that was asked for."""
    state = played.state
    return [
        *(_sent(state, "page", page, messages.page_words(state, page)) for page in state.pages),
        *(_sent(state, "mail", mail, messages.mail_words(state, mail)) for mail in state.mails),
    ]


def _sent(state: IncidentState, message: Message, to: Page | Mail, about: messages.Words) -> messages.Words:
    """What goes out."""
    asked = PageRequest(
        about=state.about,
        page_id="1",
        message=message,
        to=to.to,
        role=to.role,
        heading="Outage",
        reason=about.subject,
        ask=about.body,
    )
    return messages.framed(asked, state.declaration.organisation)


def test_the_first_word_of_every_message() -> None:
    """Pages, reminders of duties: subject and body; without it they are those of a live incident, word by word."""
    drill, live = said(course("drill")), said(course("live"))
    assert {type(one) for one in course("drill").state.mails} == {Mail}
    assert len(drill) == len(live) > 20
    for ours, real in zip(drill, live, strict=True):
        assert (ours.subject, ours.body) == (f"DRILL {real.subject}", f"DRILL {real.body}")


@pytest.mark.parametrize("title", ["Outage", "Something that has a very long title " * 5])
def test_a_text_message_begins_with_it(title: str) -> None:
    """However much has to be cut, the word and the incident's id stay, the word first."""
    call = PageCall(
        page_id="1",
        incident="inc-20261123-7f3k",
        to="lead",
        role="lead",
        channels=(),
        sender=environment().notifications,
        subject=f"DRILL [P0] {title} inc-20261123-7f3k: declared",
        body="DRILL the portal is down",
        ledger_table="incident-ledger",
        speed=1,
    )
    assert short_text(call).split()[0] == "DRILL"
    assert call.incident in short_text(call)


def test_what_to_do_next_says_so() -> None:
    """The same commands, each marked; a live incident's are not."""
    drill, live = course("drill"), course("live")
    assert [(one.who, one.command, one.why) for one in next_steps(drill.state)] == [
        (one.who, one.command.replace(live.state.id, drill.state.id), f"drill: {one.why}")
        for one in next_steps(live.state)
    ]
    assert next_steps(drill.state)
