"""Who has signed what in a record: looked at by the register of keys, and told."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from domain.values.timestamps import stamp_to_second
from starters.cli import terminal
from starters.files.problems import InvalidFile
from starters.options import Options

if TYPE_CHECKING:
    from domain.audit.storage_format import StoredCopy
    from starters.archives.judging import People
    from starters.archives.kept_register import KeptRegister
    from starters.cli.verdicts import Checked

_MEANS = {
    "hands": "only those who carried it out vouch for it",
    "namespace": "nobody has signed it: whoever could write to Temporal's namespace could say it",
    "unknown": "it could not be looked at",
}


def own_register(options: Options, remarks: list[str]) -> "KeptRegister | None":
    """The register of the caller's folder as of now; None, and a remark, where that has a problem."""
    from starters.archives.kept_register import KeptRegister
    from starters.files.identities import load_entries

    try:
        organisation = options.load_organisation().id
        entries = load_entries(options.folder(), organisation)
    except InvalidFile as error:
        remarks.append(f"there is no register of people's keys: {str(error).splitlines()[0]}")
        return None
    return KeptRegister.of(organisation, stamp_to_second(datetime.now(UTC)), entries)


def with_people(
    found: "Checked", copy: "StoredCopy", kept: "KeptRegister | None", first_keys: Collection[str] = ()
) -> "Checked":
    """Look at what people did, where the entries stand as they were written, and add what is wrong to the flaws."""
    from domain.audit.verdict import OF_NO_ENTRY
    from starters.archives.judging import people

    if any(flaw.kind not in OF_NO_ENTRY for flaw in found.verdict.flaws):
        return found
    looked = people(copy, kept, first_keys)
    found.verdict.flaws.extend(looked.flaws)
    return found._replace(people=looked)


def document(people: "People | None") -> dict[str, Any]:
    """`acts` is null where they were not looked at, as the entries are not as they were written."""
    if people is None:
        return {"acts": None, "register": None}
    first = people.first
    begins = None if first is None else {"key": first.name, "contact": first.contact}
    register = {"organisation": people.organisation, "as_of": people.as_of, "first": begins}
    return {"acts": [one.model_dump() for one in people.acts], "register": register}


def show(people: "People | None") -> None:
    """Print what people did as a table, and how the register begins."""
    if people is None or not people.acts:
        return
    rows = [(one.entry, one.by, one.what, one.answer, one.why) for one in people.acts]
    terminal.show(terminal.table("Signed by people", "Entry", "Who", "What", "", "", rows=rows))
    for answer, means in _MEANS.items():
        if many := sum(one.answer == answer for one in people.acts):
            click.echo(f"{many} {answer}: {means}")
    if people.first is not None:
        whose = f"{people.first.name} of {people.first.contact}"
        click.echo(f"The register of keys begins with {terminal.clean(whose)}, which nobody has signed: compare it")
