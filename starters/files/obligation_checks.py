"""What must hold within an organisation's `obligations.yaml`, and between it and people and runbooks."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from domain.config.organisation import COMMANDER, Organisation
from starters.files.action_checks import steps
from starters.files.names import doubled, ids, items, mapping, parts, strange
from starters.files.problems import InvalidFile, Keys, Problem
from starters.files.yaml_lines import Document, read


class Known(NamedTuple):
    """The facts and obligations that runbooks may name."""

    facts: frozenset[str]
    obligations: frozenset[str]


def known(file: Path) -> Known:
    """What an organisation's file names; nothing where it has none, or one that cannot be read, which lint reports."""
    data = {}
    with suppress(InvalidFile):
        data = read(file).data
    return Known(ids(data, "facts"), ids(data, "obligations"))


def of_runbook(document: Document, owed: Known) -> Iterator[Problem]:
    """The obligations and facts that a runbook names are there; no obligation stands twice."""
    for fact in mapping(document.data.get("facts")):
        yield from strange(document, ("facts", fact), fact, owed.facts, "fact of obligations.yaml")
    seen: set[str] = set()
    for at, step in steps(document.data):
        name, keys = step.get("obligation"), (*at, "obligation")
        yield from strange(document, keys, name, owed.obligations, "obligation of obligations.yaml")
        if name in seen and name in owed.obligations:
            yield document.problem(keys, f"{name!r} stands in this runbook already; leave one of the two out")
        seen.add(str(name))


def of_obligations(document: Document, organisation: Organisation | None) -> Iterator[Problem]:
    """Ids differ, facts that are named are there, and enough people hold the roles that must act."""
    facts, duties = parts(document.data, "facts"), parts(document.data, "obligations")
    yield from doubled(document, facts)
    yield from doubled(document, duties)
    known = ids(document.data, "facts")
    for at, duty in duties:
        for key in ("starts", "superseded_by"):
            yield from strange(document, (*at, key), duty.get(key), known, "fact")
    yield from _register(document, known)
    if organisation is None:
        return
    for at, duty in duties:
        yield from _people(document, at, duty, organisation)
    for at, fact in facts:
        yield from _held(document, (*at, "moved_by"), fact.get("moved_by"), organisation)


def _register(document: Document, facts: frozenset[str]) -> Iterator[Problem]:
    """What the breach register reads is there."""
    named, duties = mapping(document.data.get("breach_register")), ids(document.data, "obligations")
    for key in ("suspicion", "belief"):
        yield from strange(document, ("breach_register", key), named.get(key), facts, "fact")
    for key in ("assessment", "statement"):
        yield from strange(document, ("breach_register", key), named.get(key), duties, "obligation")


def _people(document: Document, at: Keys, duty: dict[str, Any], organisation: Organisation) -> Iterator[Problem]:
    for key in ("owner", "signers"):
        yield from _held(document, (*at, key), duty.get(key), organisation)
    for index, reminder in enumerate(map(mapping, items(duty.get("reminders")))):
        yield from _held(document, (*at, "reminders", index, "to"), reminder.get("to"), organisation)
    signers = [role for role in items(duty.get("signers")) if isinstance(role, str)]
    people = {contact.id for role in signers for contact in organisation.holders(role)}
    able = len(people) + (COMMANDER in signers)
    if able < len(signers) and all(organisation.holders(role) for role in signers if role != COMMANDER):
        message = f"{len(signers)} must sign, each once, but only {able} hold these roles; name fewer"
        yield document.problem((*at, "signers"), message)


def _held(document: Document, keys: Keys, roles: Any, organisation: Organisation) -> Iterator[Problem]:
    """Each role is somebody's: mails to roles that nobody holds would reach nobody."""
    yield from strange(document, keys, roles, organisation.held() | {COMMANDER}, "role")
