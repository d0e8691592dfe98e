"""What must hold within a runbook's file, and between it and the organisation's people."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from domain.config.organisation import Organisation
from starters.files import approval_checks
from starters.files.action_checks import of_action, steps
from starters.files.model_problems import unknown
from starters.files.place_checks import NO_RUNBOOKS, items, mapping
from starters.files.problems import Keys, Problem
from starters.files.yaml_lines import Document


def of_runbook(
    document: Document, organisation: Organisation | None, environments: Mapping[str, Mapping[str, Any]]
) -> Iterator[Problem]:
    """Everything that the runbook's model alone cannot tell.

    Without an organisation nothing is said of roles. `environments` maps names to their files' values.
    """
    yield from _ids(document)
    for at, step in steps(document.data):
        yield from _names(document, at, step)
        yield from of_action(document, at, step, environments)
    if organisation is not None:
        yield from _roles(document, organisation)
        yield from approval_checks.of_runbook(document, organisation)


def _ids(document: Document) -> Iterator[Problem]:
    name = document.data.get("id")
    if isinstance(name, str) and name != document.file.stem:
        yield document.problem(("id",), f"{name!r} stands in {Path(document.file).name}; make the two the same")
    phases = [(("phases", n), mapping(phase)) for n, phase in enumerate(items(document.data.get("phases")))]
    seen: dict[str, int] = {}
    for at, part in [*phases, *steps(document.data)]:
        name, keys = part.get("id"), (*at, "id")
        if isinstance(name, str) and name in seen:
            first = seen[name]
            yield document.problem(
                keys, f"id {name!r} stands on line {first} already; phases and steps share their ids"
            )
        elif isinstance(name, str):
            seen[name] = document.line(keys)


def _names(document: Document, at: Keys, step: Mapping[str, Any]) -> Iterator[Problem]:
    """The probes that a step names are there; `params` is our own name for `with`."""
    probes = {str(other.get("id")) for _, other in steps(document.data) if "probe" in other}
    for key in ("suggested_by", "unless"):
        for index, name in enumerate(items(step.get(key))):
            if isinstance(name, str) and name not in probes:
                yield document.problem((*at, key, index), unknown(name, probes, "probe"))
    evidence = {str(other.get("id")) for _, other in steps(document.data) if other.get("evidence") is True}
    for index, name in enumerate(items(step.get("evidence_first"))):
        if isinstance(name, str) and name not in evidence:
            yield document.problem((*at, "evidence_first", index), unknown(name, evidence, "evidence step"))
    causes = probes | {str(other.get("id")) for _, other in steps(document.data) if "change" in other}
    for index, name in enumerate(items(step.get("opened_by"))):
        if isinstance(name, str) and name not in causes:
            yield document.problem((*at, "opened_by", index), unknown(name, causes, "probe or change"))
    opens = step.get("opens")
    siblings = {file.stem for file in Path(document.file).parent.glob("*.yaml")} - NO_RUNBOOKS
    if isinstance(opens, str) and opens not in siblings:
        yield document.problem((*at, "opens"), unknown(opens, siblings, "runbook"))
    if "params" in step:
        yield document.problem((*at, "params"), unknown("params", ["with"], "key"))


def _roles(document: Document, organisation: Organisation) -> Iterator[Problem]:
    """People are paged by roles that somebody holds; work may belong to outside parties and the commander too."""
    held = {role for contact in organisation.contacts for role in contact.roles}
    for key in ("on_call", "page_at_once", "page_at_once_with_phi"):
        for index, role in enumerate(items(document.data.get(key))):
            if isinstance(role, str) and role not in held:
                yield document.problem((key, index), unknown(role, held, "role"))
    if not document.data.get("on_call"):
        yield document.problem(("on_call",), "is missing; say who is on call, here or for all in organisation.yaml")
    owners: list[tuple[Keys, Any]] = [(("owner",), document.data.get("owner"))]
    owners += [((*at, "owner"), step.get("owner")) for at, step in steps(document.data) if "task" in step]
    for keys, role in owners:
        if isinstance(role, str) and role not in organisation.roles():
            yield document.problem(keys, unknown(role, organisation.roles(), "role"))
