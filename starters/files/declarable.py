"""What a declaration takes from an organisation's folder."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from starters.files.kept import Document, kept

if TYPE_CHECKING:
    from domain.config.environment import Environment
    from domain.config.organisation import Organisation
    from domain.config.runbook import Runbook

UNCOUNTED: Mapping[str, Sequence[Document]] = {"approvals": (), "preauthorisations": (), "delegations": ()}
"""What a declaration has room of its own for."""


def declarable(folder: Path, type_: str, environment: str, now: datetime) -> Document:
    """Everything that a declaration of this type, there and now, says by the files: checked, as its JSON has it.
    It is worked out once for as long as nothing changes. Raises `InvalidFile`, `UsageError` for a type that has no
    runbook, and `RefusedError` for a place without a calendar of public holidays.
    """
    found = kept(folder, (type_, environment, str(now.year)), lambda: _worked_out(folder, type_, environment, now))
    return {**found, **current(found, now)}


def beforehand(
    folder: Path, organisation: "Organisation", environment: "Environment", types: Collection[str]
) -> Document:
    """What people have signed for that may be in force there sooner or later, for incidents of these types, as JSON:
    `preauthorisations` and `delegations`. Raises `InvalidFile`.
    """
    from pydantic_core import to_jsonable_python

    from starters.files.delegations import known
    from starters.files.preauthorisations import lasting

    stand_ins = known(folder, unsigned=environment.kind == "sandbox")
    return {
        "preauthorisations": to_jsonable_python(lasting(folder, organisation, environment.name, types)),
        "delegations": [one.model_dump(mode="json", exclude_none=True) for one in stand_ins if one.ended is None],
    }


def current(found: Document, now: datetime) -> Document:
    """Of what `beforehand` gives, what a declaration of that time takes: delegations that are to come, too."""
    standing = [one for one in found["delegations"] if datetime.fromisoformat(one["until"]) > now]
    return {"preauthorisations": timely(found["preauthorisations"], now), "delegations": standing}


def timely(preauthorisations: Sequence[Document], now: datetime) -> list[Document]:
    """Those in force now, as JSON, in their order, but for each that finds no room in the declaration any more."""
    from domain.values import limits

    room, taken = limits.PREAUTHORISATIONS, list[Document]()
    for one in preauthorisations:
        since, until = (datetime.fromisoformat(one["terms"][name]) for name in ("since", "until"))
        if since <= now < until and (size := limits.size(one)) <= room:
            taken.append(one)
            room -= size
    return taken


def _worked_out(folder: Path, type_: str, environment: str, now: datetime) -> Document:
    import click
    from pydantic_core import to_jsonable_python

    from activities.catalogue import CHANGES
    from domain.config.runbook import ChangeStep
    from starters.files.approvals import signatures
    from starters.files.holidays import calendar
    from starters.files.loading import load_obligations, load_runbook
    from starters.files.organisation_folder import list_runbooks, load_environment, load_organisation

    types = list_runbooks(folder)
    if types and type_ not in types:
        raise click.UsageError(f"there is no runbook for {type_!r} in {folder}; known: {', '.join(types)}")
    organisation, where = load_organisation(folder), load_environment(folder, environment)
    runbook = load_runbook(folder, type_, organisation, where)
    if not any("recovery" in CHANGES[step.change].needs for step in runbook.steps() if isinstance(step, ChangeStep)):
        where = where.model_copy(update={"recovery": None})  # what goes on record with every incident is short of room
    document: Document = to_jsonable_python(
        {
            "organisation": organisation,
            "environment": where,
            "runbook": runbook,
            "runbook_digest": runbook.digest(),
            "obligations": load_obligations(folder, organisation),
            "calendar": calendar(organisation, now),
        }
    )
    reached = dict(_reached(runbook, lambda name: load_runbook(folder, name, organisation, where)))
    document["related"] = to_jsonable_python(reached)
    signed = signatures(folder, organisation, runbook, reached.values())
    ahead = beforehand(folder, organisation, where, (type_, *reached))
    return {**document, "approvals": signed.approvals, "lacking": [*signed.lacking], **ahead}


def fitted(declaration: Document) -> Document:
    """A declaration that is too big for the record without runbooks that only others open, the furthest first.

    As few as must be; those that its own steps open stay, whatever its size. Who approved one that goes, goes too, and
    what may begin by itself under it.
    """
    from domain.values import limits

    own = {step.get("opens") for phase in declaration["runbook"]["phases"] for step in phase["steps"]}
    related = dict(declaration["related"])
    for name in [name for name in reversed(related) if name not in own]:
        if limits.size({**declaration, "related": related, **UNCOUNTED}) > limits.DECLARATION:
            del related[name]
    gone = {f"{name} {one['version']}" for name, one in declaration["related"].items() if name not in related}
    approvals = [one for one in declaration["approvals"] if one["claim"]["decision"] not in gone]
    kinds = {declaration["runbook"]["id"], *related}
    preauthorised = [one for one in declaration["preauthorisations"] if one["terms"]["type"] in kinds]
    return {**declaration, "related": related, "approvals": approvals, "preauthorisations": preauthorised}


def _reached(runbook: "Runbook", load: "Callable[[str], Runbook]") -> "Iterator[tuple[str, Runbook]]":
    """The runbooks of all that this one may open, and of what those may, the nearest first."""
    found, new = {runbook.id}, [runbook]
    while new:
        names = sorted({name for one in new for name in one.opens()} - found)
        found |= {*names}
        new = [load(name) for name in names]
        yield from zip(names, new, strict=True)
