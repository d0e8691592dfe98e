"""What must hold within an organisation's `obligations.yaml`, and between it and people and runbooks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from domain.config.organisation import COMMANDER, Organisation
from starters.files.action_checks import steps
from starters.files.model_problems import unknown
from starters.files.place_checks import items, mapping
from starters.files.problems import InvalidFile, Keys, Problem
from starters.files.yaml_lines import Document, read


class Known(NamedTuple):
    """The facts and obligations that runbooks may name."""

    facts: frozenset[str]
    obligations: frozenset[str]


def known(file: Path) -> Known:
    """What an organisation's file names; nothing where it has none. One that cannot be read tells so by itself."""
    if not file.exists():
        return Known(frozenset(), frozenset())
    try:
        data = read(file).data
    except InvalidFile:
        return Known(frozenset(), frozenset())
    return Known(_ids(data.get("facts")), _ids(data.get("obligations")))


def _ids(entries: Any) -> frozenset[str]:
    return frozenset(str(mapping(entry).get("id")) for entry in items(entries))


def of_runbook(document: Document, owed: Known) -> Iterator[Problem]:
    """The obligations and facts that a runbook names are there; no obligation stands twice."""
    for fact in mapping(document.data.get("facts")):
        if fact not in owed.facts:
            yield document.problem(("facts", fact), unknown(str(fact), owed.facts, "fact of obligations.yaml"))
    seen: set[str] = set()
    for at, step in steps(document.data):
        name: Any = step.get("obligation")
        if not isinstance(name, str):
            continue
        keys = (*at, "obligation")
        if name not in owed.obligations:
            yield document.problem(keys, unknown(name, owed.obligations, "obligation of obligations.yaml"))
        elif name in seen:
            yield document.problem(keys, f"{name!r} stands in this runbook already; leave one of the two out")
        seen.add(name)


def of_obligations(document: Document, organisation: Organisation | None) -> Iterator[Problem]:
    """Ids differ, facts that are named are there, and enough people hold the roles that must act."""
    facts = _ids(document.data.get("facts"))
    for part in ("facts", "obligations"):
        yield from _doubled(document, part)
    for index, entry in enumerate(map(mapping, items(document.data.get("obligations")))):
        at: Keys = ("obligations", index)
        starts = entry.get("starts")
        if isinstance(starts, str) and starts not in facts:
            yield document.problem((*at, "starts"), unknown(starts, facts, "fact"))
        for place, name in enumerate(items(entry.get("superseded_by"))):
            if isinstance(name, str) and name not in facts:
                yield document.problem((*at, "superseded_by", place), unknown(name, facts, "fact"))
        if organisation is not None:
            yield from _people(document, at, entry, organisation)
    yield from _register(document, facts)
    if organisation is not None:
        for index, entry in enumerate(map(mapping, items(document.data.get("facts")))):
            yield from _held(document, ("facts", index, "moved_by"), entry.get("moved_by"), organisation)


def _register(document: Document, facts: frozenset[str]) -> Iterator[Problem]:
    """What the breach register reads is there."""
    named = mapping(document.data.get("breach_register"))
    duties = _ids(document.data.get("obligations"))
    for key, there, kind in (
        ("suspicion", facts, "fact"),
        ("belief", facts, "fact"),
        ("assessment", duties, "obligation"),
        ("statement", duties, "obligation"),
    ):
        name = named.get(key)
        if isinstance(name, str) and name not in there:
            yield document.problem(("breach_register", key), unknown(name, there, kind))


def _doubled(document: Document, part: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, entry in enumerate(map(mapping, items(document.data.get(part)))):
        name = entry.get("id")
        if isinstance(name, str) and name in seen:
            yield document.problem((part, index, "id"), f"id {name!r} stands twice; give each its own")
        seen.add(str(name))


def _people(document: Document, at: Keys, entry: dict[str, Any], organisation: Organisation) -> Iterator[Problem]:
    yield from _held(document, (*at, "owner"), [entry.get("owner")], organisation, whole=True)
    yield from _held(document, (*at, "signers"), entry.get("signers"), organisation)
    for index, reminder in enumerate(map(mapping, items(entry.get("reminders")))):
        yield from _held(document, (*at, "reminders", index, "to"), reminder.get("to"), organisation)
    signers = [role for role in items(entry.get("signers")) if isinstance(role, str)]
    people = {contact.id for role in signers for contact in organisation.holders(role)}
    able = len(people) + (COMMANDER in signers)
    if able < len(signers) and all(organisation.holders(role) for role in signers if role != COMMANDER):
        message = f"{len(signers)} must sign, each once, but only {able} hold these roles; name fewer"
        yield document.problem((*at, "signers"), message)


def _held(
    document: Document, keys: Keys, roles: Any, organisation: Organisation, *, whole: bool = False
) -> Iterator[Problem]:
    """Each role is somebody's: mails to roles that nobody holds would reach nobody."""
    there = {role for contact in organisation.contacts for role in contact.roles} | {COMMANDER}
    for index, role in enumerate(items(roles)):
        if isinstance(role, str) and role not in there:
            yield document.problem(keys if whole else (*keys, index), unknown(role, there, "role"))
