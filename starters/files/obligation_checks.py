"""What must hold within an organisation's `obligations.yaml`, and between it and people and runbooks."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from domain.config.names import Flaw, Keys, ids, items, mapping, parts, strange
from domain.config.organisation import COMMANDER, Organisation
from domain.config.runbook import steps
from starters.files.problems import InvalidFile, Problem
from starters.files.yaml_lines import read


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


def of_runbook(data: Mapping[str, Any], owed: Known) -> Iterator[Flaw]:
    """The obligations and facts that a runbook names are there; no obligation stands twice."""
    for fact in mapping(data.get("facts")):
        yield from strange(("facts", fact), fact, owed.facts, "fact of obligations.yaml")
    seen: set[str] = set()
    for at, step in steps(data):
        name, keys = step.get("obligation"), (*at, "obligation")
        yield from strange(keys, name, owed.obligations, "obligation of obligations.yaml")
        if name in seen and name in owed.obligations:
            yield Flaw(keys, f"{name!r} stands in this runbook already; leave one of the two out")
        seen.add(str(name))


def of_obligations(data: Mapping[str, Any], organisation: Organisation | None) -> Iterator[Flaw]:
    """Enough people hold the roles that must act."""
    if organisation is None:
        return
    for at, duty in parts(data, "obligations"):
        yield from _people(at, duty, organisation)
    for at, fact in parts(data, "facts"):
        yield from _held((*at, "moved_by"), fact.get("moved_by"), organisation)


def templates(file: Path) -> list[Problem]:
    """The templates of drafts that this file names and that are not there: lint alone asks, no start waits for it."""
    with suppress(InvalidFile):
        document = read(file)
        named = [*parts(document.data, "obligations"), *steps(document.data)]
        missing = [
            Flaw((*at, "pack"), f"there is no {place}: write that template, or take it off")
            for at, what in named
            for name in items(what.get("pack"))
            if not (place := file.parent / "templates" / str(name)).is_file()
        ]
        return [document.problem(flaw) for flaw in missing]
    return []


def _people(at: Keys, duty: dict[str, Any], organisation: Organisation) -> Iterator[Flaw]:
    for key in ("owner", "signers"):
        yield from _held((*at, key), duty.get(key), organisation)
    for keys, reminder in parts(duty, "reminders"):
        yield from _held((*at, *keys, "to"), reminder.get("to"), organisation)
    signers = [role for role in items(duty.get("signers")) if isinstance(role, str)]
    people = {contact.id for role in signers for contact in organisation.holders(role)}
    able = len(people) + (COMMANDER in signers)
    if able < len(signers) and all(organisation.holders(role) for role in signers if role != COMMANDER):
        message = f"{len(signers)} must sign, each once, but only {able} hold these roles; name fewer"
        yield Flaw((*at, "signers"), message)


def _held(keys: Keys, roles: Any, organisation: Organisation) -> Iterator[Flaw]:
    """Each role is somebody's: mails to roles that nobody holds would reach nobody."""
    yield from strange(keys, roles, organisation.held() | {COMMANDER}, "role")
