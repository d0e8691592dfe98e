"""`incident rehearse`: what stored incidents would have come to by the rules and files of today."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from domain.values.timestamps import stamp
from starters.cli import terminal
from starters.cli.shared_options import midnight, shared
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from rich.console import RenderableType

    from activities.ledger.incidents import Unreadable
    from domain.model.timeline import Entry
    from domain.rehearsal.record import Record
    from starters.files.loading import MeantLine

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PLACE = click.Path(exists=True, path_type=Path)


class _Difference(NamedTuple):
    """One thing that would be otherwise; None is nothing."""

    incident: str
    what: str
    was: str | None
    would_be: str | None
    because: str


@click.command()
@click.option("--since", metavar="DATE", help="Only what was declared on or after this day, where the organisation is.")
@click.option("--from", "places", type=_PLACE, multiple=True, help="Archives of `audit export`, or folders of them.")
@click.option("--meant", "meant_file", type=_FILE, help="Which differences are meant. Default: rehearsal.yaml, if any.")
@shared
def rehearse(options: Options, since: str | None, places: tuple[Path, ...], meant_file: Path | None) -> None:
    """Run every stored incident again by the rules and files of today, and tell what would be otherwise, and why.

    Nothing is started, and nobody is told. Exits 1 where something differs that is not meant, or cannot be read.
    """
    from domain.rehearsal.rehearse import Rehearser
    from starters.files.loading import REHEARSAL, load_meant
    from starters.files.rehearsed import Today
    from starters.files.simulated import CLASSES

    start = None if since is None else midnight(since, terminal.clock(options).zone, datetime.now(UTC))
    rows = load_meant(meant_file or options.folder() / REHEARSAL)
    today, rehearser = Today(options.folder(), options.environment), Rehearser(CLASSES)
    unknown: list[Unreadable] = []
    found: list[_Difference] = []
    late: list[dict[str, str]] = []
    count = 0
    for record in _records(options, places, unknown, start):
        count += 1
        found += _differences(record, today, rehearser)
        late += [_late(record.state.id, *one) for one in record.late]
    meant = [one for one in found if _fitting(one, rows)]
    unused = [row for row in rows if not any(row in _fitting(one, [row]) for one in meant)]
    differences = [one for one in found if one not in meant]
    document = {
        "incidents": count,
        "differences": [one._asdict() for one in differences],
        "meant": [one._asdict() for one in meant],
        "unused": [f"{row.file.name}:{row.line}" for row in unused],
        "late": late,
        "unknown": [{"incident": one.id, "reason": one.reason} for one in unknown],
    }
    terminal.answer(options, document, lambda: _tables(document))
    for row in unused:
        click.echo(f"{row.file}:{row.line}: {row.meant.what!r} fits nothing any more; leave it out", err=True)
    _refuse(differences, unknown)


def _records(
    options: Options, places: Iterable[Path], unknown: "list[Unreadable]", since: datetime | None
) -> "Iterator[Record]":
    """Every record that can be run again; the others are added to `unknown`."""
    from activities.ledger.incidents import Unreadable
    from domain.rehearsal.record import read
    from domain.rules.evolve import NoIncidentError
    from starters.client.recorded_incidents import records

    stored = _archived(places, unknown, since) if places else records(options, unknown, since)
    for incident, entries in stored:
        try:
            record = read(entries)
        except NoIncidentError as error:
            unknown.append(Unreadable(incident, str(error)))
            continue
        if record.state.id == incident:
            yield record
        else:
            unknown.append(Unreadable(incident, f"its entries are those of {record.state.id}"))


def _archived(
    places: Iterable[Path], unknown: "list[Unreadable]", since: datetime | None
) -> "Iterator[tuple[str, list[Entry]]]":
    from activities.ledger.incidents import Unreadable, chain
    from starters.archives.archive_file import unpack

    for file in [file for place in places for file in (sorted(place.glob("*.zip")) if place.is_dir() else [place])]:
        try:
            archive = unpack(file)
        except RefusedError as error:
            unknown.append(Unreadable(file.name, str(error)))
            continue
        entries = f"{archive.damaged[0]} does not match the manifest" if archive.damaged else chain(archive.copy)
        if isinstance(entries, str):
            unknown.append(Unreadable(archive.copy.incident, entries))
        elif since is None or entries[0].at >= since:
            yield archive.copy.incident, entries


def _differences(record: "Record", today: Any, rehearser: Any) -> Iterator[_Difference]:
    from domain.rehearsal.rehearse import RULES

    declaration = record.declaration
    documents = today.documents(declaration)
    if documents is None:
        type_ = declaration.runbook.id
        yield _Difference(record.state.id, "runbook", type_, None, f"{type_}.yaml: there is none of this type any more")
        return
    for difference, leaves, doubt in rehearser.rehearse(record, documents):
        because = today.because(declaration, leaves) if leaves else RULES
        what, was, would_be = difference
        yield _Difference(record.state.id, what, was, would_be, f"{because}, {doubt}" if doubt else because)


def _late(incident: str, what: str, due_at: datetime, at: datetime) -> dict[str, str]:
    return {"incident": incident, "what": what, "due_at": stamp(due_at), "at": stamp(at)}


def _fitting(one: _Difference, rows: "Iterable[MeantLine]") -> "list[MeantLine]":
    return [row for row in rows if row.meant.fits(one.incident, one.what, one.because)]


def _tables(document: dict[str, Any]) -> "Iterator[RenderableType]":
    """By cause: in how many incidents it makes a difference, to what, and one of them."""
    by_cause: dict[str, list[dict[str, Any]]] = {}
    for one in document["differences"]:
        by_cause.setdefault(one["because"], []).append(one)
    for because, found in by_cause.items():
        whats: dict[str, list[dict[str, Any]]] = {}
        for one in found:
            whats.setdefault(one["what"], []).append(one)
        rows = [
            (what, len(ones), ones[0]["incident"], ones[0]["was"] or "nothing", ones[0]["would_be"] or "nothing")
            for what, ones in whats.items()
        ]
        title = f"Because of {because}: {_counted('incident', len({one['incident'] for one in found}))}"
        yield terminal.table(terminal.clean(title), "What", "Times", "Incident", "Was", "Would be", rows=rows)
    if document["unknown"]:
        rows = [tuple(one.values()) for one in document["unknown"]]
        yield terminal.table("Unknown", "Incident", "Why", rows=rows)
    if document["late"]:
        yield f"Late at the time, as no worker ran, and no difference: {_counted('deadline', len(document['late']))}."
    told = _counted("difference", len(document["differences"])) if document["differences"] else "Nothing differs"
    meant = f"; {_counted('more', len(document['meant']), '')} meant" if document["meant"] else ""
    yield f"{told}, of {_counted('incident', document['incidents'])} that were run again{meant}."


def _counted(what: str, count: int, plural: str = "s") -> str:
    return f"{count} {what}{'' if count == 1 else plural}"


def _refuse(differences: list[_Difference], unknown: "list[Unreadable]") -> None:
    """End in a refusal, in one line, where something differs that is not meant, or cannot be read."""
    why = []
    if differences:
        incidents = _counted("incident", len({one.incident for one in differences}))
        told = _counted("difference", len(differences))
        why.append(f"{told} in {incidents} not meant, such as because of {differences[0].because}")
    if unknown:
        why.append(f"{_counted('record', len(unknown))} cannot be read: {unknown[0].id} ({unknown[0].reason})")
    if why:
        raise RefusedError("; ".join(why))
