"""What must hold within a runbook's file, and between it and the organisation's people."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.config.names import Flaw, strange, unknown
from domain.config.organisation import Organisation
from domain.config.runbook import steps
from starters.files import approval_checks
from starters.files.action_checks import of_action
from starters.files.place_checks import NO_RUNBOOKS
from starters.files.yaml_lines import Document


def of_runbook(
    document: Document, organisation: Organisation | None, environments: Mapping[str, Mapping[str, Any]]
) -> Iterator[Flaw]:
    """Everything that the runbook's model alone cannot check.

    Without an organisation nothing is said of roles. `environments` maps names to their files' values.
    """
    name, file = document.data.get("id"), document.file
    if isinstance(name, str) and name != file.stem:
        yield Flaw(("id",), f"{name!r} stands in {file.name}; make the two the same")
    siblings = {sibling.stem for sibling in file.parent.glob("*.yaml")} - NO_RUNBOOKS
    for at, step in steps(document.data):
        yield from strange((*at, "opens"), step.get("opens"), siblings, "runbook")
        if "params" in step:  # our own name for `with`
            yield Flaw((*at, "params"), unknown("params", ["with"], "key"))
        yield from of_action(at, step, environments)
    if organisation is not None:
        yield from _roles(document.data, organisation)
        yield from approval_checks.of_runbook(document.data, organisation)


def _roles(data: Mapping[str, Any], organisation: Organisation) -> Iterator[Flaw]:
    """People are paged by roles that somebody holds; work may belong to outside parties and the commander too."""
    for key in ("on_call", "page_at_once", "page_at_once_with_phi"):
        yield from strange((key,), data.get(key), organisation.held(), "role")
    if not data.get("on_call"):
        yield Flaw(("on_call",), "is missing; say who is on call, here or for all in organisation.yaml")
    for at, owned in [((), data), *((at, step) for at, step in steps(data) if "task" in step)]:
        yield from strange((*at, "owner"), owned.get("owner"), organisation.roles(), "role")
