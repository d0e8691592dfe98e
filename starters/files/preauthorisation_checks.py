"""What must hold between a pre-authorisation, the runbook that it is about, and the actions that there are."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from activities.catalogue import CHANGES
from authority.preauthorisations import Entry
from domain.config.names import Flaw, items, mapping, unknown
from domain.config.preauthorisation import PreAuthorisation
from domain.config.runbook import steps
from domain.rules.preauthorised import CLASSES
from starters.files.declarable import timely
from starters.files.model_problems import of_model
from starters.files.organisation_folder import list_environments, list_runbooks
from starters.files.problems import InvalidFile
from starters.files.yaml_lines import read


def of_folder(folder: Path, entries: Collection[Entry], now: datetime) -> Iterator[Flaw]:
    """What is wrong with those of a folder that nobody has revoked and that are not over `now` (UTC)."""
    gone = {entry.claim.subject for entry in entries if entry.revokes}
    said = ((position, entry.says) for position, entry in enumerate(entries) if entry.claim.subject not in gone)
    standing = {position: terms for position, terms in said if terms is not None and terms.until > now}
    crowded = _crowded(folder, standing, entries, now)
    for position, terms in standing.items():
        flaws = [*of_terms(folder, terms), *([crowded[position]] if position in crowded else [])]
        before = [other for number, other in standing.items() if number < position]
        if other := overlapping(terms, before):
            flaws.append(Flaw(("step",), f"{terms.step} is pre-authorised then already, by {other.digest()[:12]}"))
        for flaw in flaws:
            remedy = f"{flaw.message}; incident preauthorise revoke {terms.digest()[:12]}"
            yield Flaw(("preauthorisations", position, "says", *flaw.at), remedy)


def overlapping(terms: PreAuthorisation, others: Iterable[PreAuthorisation]) -> PreAuthorisation | None:
    """The first of these that is for the same step, there, at the same time: by one of the two alone would it begin."""
    about = (terms.type, terms.step, terms.environment)
    same = (other for other in others if (other.type, other.step, other.environment) == about)
    return next((other for other in same if other.since < terms.until and terms.since < other.until), None)


def _crowded(
    folder: Path, standing: Mapping[int, PreAuthorisation], entries: Collection[Entry], now: datetime
) -> dict[int, Flaw]:
    """Those that a declaration has no room for, now or when another begins, by their positions."""
    documents = {position: _carried(terms, entries) for position, terms in standing.items()}
    moments = sorted({max(now, terms.since) for terms in standing.values()})
    places = dict.fromkeys(terms.environment for terms in standing.values())
    found: dict[int, Flaw] = {}
    for type_, environment in product(list_runbooks(folder), places):
        about = [(kind, environment) for kind in _kinds(folder, type_)]
        here = [one for each in about for one in standing if (standing[one].type, standing[one].environment) == each]
        for at in moments:
            held = [one for one in here if standing[one].holds(at)]
            taken = timely([documents[one] for one in held], at)
            flaw = Flaw((), f"a declaration of {type_} in {environment} has no room for it beside those before it")
            found |= {one: flaw for one in held if documents[one] not in taken}
    return found


def _carried(terms: PreAuthorisation, entries: Collection[Entry]) -> dict[str, Any]:
    signed = [entry.signed() for entry in entries if entry.claim.subject == terms.digest()]
    return {"terms": terms.model_dump(mode="json"), "signed": signed}


def _kinds(folder: Path, type_: str) -> list[str]:
    """A type of incident, and all that it may open, the nearest first."""
    found, known = [type_], list_runbooks(folder)
    for name in found:  # which grows
        with suppress(InvalidFile):  # which `lint` reports
            opened = {step.get("opens") for _, step in steps(mapping(read(folder / f"{name}.yaml").data))}
            found += sorted({one for one in known if one in opened} - {*found})
    return found


def of_terms(folder: Path, terms: PreAuthorisation) -> Iterator[Flaw]:
    """What is wrong with one, at the keys of what it says. Nothing of a runbook that cannot be read."""
    if terms.environment not in (known := list_environments(folder)):
        yield Flaw(("environment",), unknown(terms.environment, known, "environment"))
    if terms.type not in (types := list_runbooks(folder)):
        yield Flaw(("type",), unknown(terms.type, types, "incident type"))
        return
    try:
        runbook = mapping(read(folder / f"{terms.type}.yaml").data)
    except InvalidFile:
        return
    changes = {str(step.get("id")): step for _, step in steps(runbook) if isinstance(step.get("change"), str)}
    if (step := changes.get(terms.step)) is None:
        yield Flaw(("step",), unknown(terms.step, changes, f"change of {terms.type}"))
        return
    yield from _of_step(terms, step)


def _of_step(terms: PreAuthorisation, step: Mapping[str, Any]) -> Iterator[Flaw]:
    if step["change"] != terms.action:
        yield Flaw(("action",), f"{terms.step} does {step['change']} by now, not {terms.action}")
        return
    if (action := CHANGES.get(terms.action)) is None:
        yield Flaw(("action",), unknown(terms.action, CHANGES, "change"))
        return
    if action.evidence or step.get("evidence") is True:
        yield Flaw(("step",), f"{terms.step} preserves evidence, which begins by itself anyway")
        return
    if CLASSES.isdisjoint(action.classes):
        grade = " or ".join(action.classes)
        yield Flaw(("action",), f"{terms.action} is of class {grade}, which nobody pre-authorises")
    elif action.irreversible:
        yield Flaw(("action",), f"{terms.action} cannot be undone ({action.irreversible}), so nobody pre-authorises it")
    given, asked = mapping(step.get("with")), items(step.get("ask"))
    for name in sorted(terms.set.keys() - set(asked)):
        yield Flaw(
            ("set", name), f"{terms.step} does not ask for {name!r}; it asks for {', '.join(asked) or 'nothing'}"
        )
    if missing := [name for name in asked if name not in given and name not in terms.set]:
        yield Flaw(("set",), f"{terms.step} needs {', '.join(missing)}: name them with --set")
        return
    try:
        action.params.model_validate({**given, **terms.set})
    except ValidationError as error:
        found = of_model(action.params, error.errors(), ("set",))
        yield from (flaw for flaw in found if flaw.at[1:2] and flaw.at[1] in terms.set)
