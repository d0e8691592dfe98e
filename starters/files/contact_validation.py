"""The runbook of a contact validation: a code to each channel of each contact, and a task for each external party."""

import re
from collections.abc import Iterator
from pathlib import Path

from activities.channels.contacts_code import ContactCode, ContactCodeParams
from activities.channels.kinds import CALLED
from domain.config.environment import Environment
from domain.config.obligation import Obligations
from domain.config.organisation import Channel, Contact, External, Organisation
from domain.config.runbook import NoticeStep, Phase, Runbook, Step, TaskStep
from domain.rules.dependence import duties
from domain.values.ids import contact_key
from starters.files.loading import load_obligations, load_runbook
from starters.files.organisation_folder import list_runbooks

KIND = "contact-validation"
ANSWER, HEARD = "3d", "14d"
"""Within which a code is to be said back; within which the lead hears an external party."""


def phases(
    folder: Path, organisation: Organisation, environment: Environment, lead: str, opens: str
) -> tuple[Phase, ...]:
    """What is sent and asked; `lead` is the role that hears external parties. Raises `InvalidFile`."""
    owed = load_obligations(folder, organisation)
    runbooks = [load_runbook(folder, name, organisation, environment) for name in list_runbooks(folder)]
    inside: list[Step] = []
    for contact in organisation.contacts:
        tells = "\n".join(_told(contact, organisation, owed, runbooks))
        for number, channel in enumerate(contact.channels, start=1):
            inside += _asked(contact, channel, number, organisation, opens, tells if number == 1 else "")
    outside = tuple(_heard(party, lead, opens) for party in organisation.externals)
    made = [Phase(id="contacts", title="Contacts", steps=tuple(inside))]
    return (*made, Phase(id="externals", title="External parties", steps=outside)) if outside else tuple(made)


def _told(contact: Contact, organisation: Organisation, owed: Obligations, runbooks: list[Runbook]) -> Iterator[str]:
    found = [*duties(contact, organisation, owed, runbooks)]
    yield f"What hangs on {contact.id}:" if found else f"Nothing hangs on {contact.id} alone."
    yield from (f"- {one}" for one in found)


def _asked(
    contact: Contact, channel: Channel, number: int, organisation: Organisation, opens: str, tells: str
) -> tuple[Step, Step]:
    name = f"{_step(contact.id)}-{number}"
    given = ContactCodeParams(
        organisation=organisation.title, contact=contact.id, role=contact.roles[0], channel=channel
    )
    by = CALLED[channel.kind]
    return (
        NoticeStep(
            id=f"code-{name}",
            notice=ContactCode.name,
            title=f"A code to {contact.id}, by {by}",
            params=given.model_dump(),
        ),
        TaskStep(
            id=f"confirm-{name}",
            task=f"{contact.id} says the code that came by {by}",
            owner=contact.id,
            due=ANSWER,
            code_of=f"code-{name}",
            opens=opens,
            key=contact_key(contact.id),
            opens_as=f"{contact.id} does not answer",
            tells=tells,
        ),
    )


def _heard(party: External, lead: str, opens: str) -> Step:
    return TaskStep(
        id=f"hear-{_step(party.id)}",
        task=f"Hear {party.id} ({party.title}: {party.contact}), and note how",
        owner=lead,
        due=HEARD,
        noted=True,
        opens=opens,
        key=contact_key(party.id),
        opens_as=f"{party.id} has not been heard",
    )


def _step(name: str) -> str:
    """An id of the organisation's as part of a step's, which holds fewer characters: others are given by number."""
    return re.sub(r"[^a-z0-9-]", lambda found: f"-{ord(found[0])}-", name)
