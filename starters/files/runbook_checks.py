"""What must hold within a runbook's file, and between it and the organisation's people."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from domain.config.organisation import Organisation
from starters.files import approval_checks
from starters.files.action_checks import of_action, steps
from starters.files.model_problems import unknown
from starters.files.names import doubled, parts, strange
from starters.files.place_checks import NO_RUNBOOKS
from starters.files.problems import Problem
from starters.files.yaml_lines import Document


def of_runbook(
    document: Document, organisation: Organisation | None, environments: Mapping[str, Mapping[str, Any]]
) -> Iterator[Problem]:
    """Everything that the runbook's model alone cannot check.

    Without an organisation nothing is said of roles. `environments` maps names to their files' values.
    """
    yield from _ids(document)
    yield from _names(document)
    for at, step in steps(document.data):
        yield from of_action(document, at, step, environments)
    if organisation is not None:
        yield from _roles(document, organisation)
        yield from approval_checks.of_runbook(document, organisation)


def _ids(document: Document) -> Iterator[Problem]:
    name = document.data.get("id")
    if isinstance(name, str) and name != document.file.stem:
        yield document.problem(("id",), f"{name!r} stands in {Path(document.file).name}; make the two the same")
    yield from doubled(document, [*parts(document.data, "phases"), *steps(document.data)])


def _names(document: Document) -> Iterator[Problem]:
    """What a step names is there; `params` is our own name for `with`."""
    named = [(str(step.get("id")), step) for _, step in steps(document.data)]
    probes = {name for name, step in named if "probe" in step}
    causes = {name for name, step in named if "probe" in step or "change" in step}
    evidence = {name for name, step in named if step.get("evidence") is True}
    siblings = {file.stem for file in Path(document.file).parent.glob("*.yaml")} - NO_RUNBOOKS
    known: dict[str, tuple[set[str], str]] = {
        "suggested_by": (probes, "probe"),
        "unless": (probes, "probe"),
        "evidence_first": (evidence, "evidence step"),
        "opened_by": (causes, "probe or change"),
        "opens": (siblings, "runbook"),
    }
    for at, step in steps(document.data):
        for key, (there, what) in known.items():
            yield from strange(document, (*at, key), step.get(key), there, what)
        if "params" in step:
            yield document.problem((*at, "params"), unknown("params", ["with"], "key"))


def _roles(document: Document, organisation: Organisation) -> Iterator[Problem]:
    """People are paged by roles that somebody holds; work may belong to outside parties and the commander too."""
    for key in ("on_call", "page_at_once", "page_at_once_with_phi"):
        yield from strange(document, (key,), document.data.get(key), organisation.held(), "role")
    if not document.data.get("on_call"):
        yield document.problem(("on_call",), "is missing; say who is on call, here or for all in organisation.yaml")
    for at, owned in [((), document.data), *((at, step) for at, step in steps(document.data) if "task" in step)]:
        yield from strange(document, (*at, "owner"), owned.get("owner"), organisation.roles(), "role")
