"""What must hold between a pre-authorisation, the runbook that it is about, and the actions that there are."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from activities.catalogue import CHANGES
from authority.preauthorisations import Entry
from domain.config.names import Flaw, items, mapping, unknown
from domain.config.preauthorisation import PreAuthorisation
from domain.config.runbook import steps
from domain.rules.preauthorised import CLASSES
from starters.files.model_problems import of_model
from starters.files.organisation_folder import list_environments, list_runbooks
from starters.files.problems import InvalidFile
from starters.files.yaml_lines import read


def of_folder(folder: Path, entries: Collection[Entry], now: datetime) -> Iterator[Flaw]:
    """What is wrong with those of a folder that nobody has revoked and that are not over `now` (UTC)."""
    gone = {entry.claim.subject for entry in entries if entry.revokes}
    for position, entry in enumerate(entries):
        if entry.says is None or entry.claim.subject in gone or entry.says.until <= now:
            continue
        for flaw in of_terms(folder, entry.says):
            remedy = f"{flaw.message}; incident preauthorise revoke {entry.claim.subject[:12]}"
            yield Flaw(("preauthorisations", position, "says", *flaw.at), remedy)


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
