"""`incident simulate`: what would happen, before it does: no Temporal, no AWS, nobody is told."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import TypeAdapter, ValidationError

from domain.simulation import script
from domain.values.durations import Duration, spoken
from starters.cli.output import write
from starters.cli.shared_options import shared
from starters.options import Options

if TYPE_CHECKING:
    from rich.console import RenderableType

    from domain.model.declaration import Declaration

_SEVERITY = click.Choice(["P0", "P1", "P2", "P3"], case_sensitive=False)


class _Length(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        try:
            return TypeAdapter[timedelta](Duration).validate_python(value)
        except ValidationError as error:
            self.fail(error.errors()[0]["msg"].removeprefix("Value error, "), param, ctx)


@click.command()
@click.argument("type_", metavar="TYPE")
@click.option("--severity", type=_SEVERITY, metavar="[P0|P1|P2|P3]", required=True, help="How severe it is.")
@click.option("--phi", is_flag=True, help="Sensitive information, such as health information, may be affected.")
@click.option("--answer", "answers", multiple=True, help="What somebody says, such as 'ack at 3m by devops-lead'.")
@click.option("--script", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Answers, one a line.")
@click.option("--finding", "findings", multiple=True, help="What a probe tells: STEP=ok|suspect|unknown[@TIME].")
@click.option("--for", "length", type=_Length(), default="60m", show_default=True, help="How long to look ahead.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the report, as HTML.")
@shared
def simulate(options: Options, type_: str, **given: Any) -> None:
    """Play an incident of TYPE on a clock of its own: exactly who would be paged, reminded and asked, and when.

    Everything outside answers at once; a probe is `unknown` unless --finding says otherwise. An answer is
    VERB [ARGUMENT] at TIME by WHO, with the verbs ack, note, severity P, change STEP [name=value], approve STEP, reject
    STEP, cancel STEP, undo STEP, done STEP, waive STEP, mitigated, resolve, reopen, false-alarm, close, fact NAME,
    discharge STEP, not-required STEP, superseded STEP, hand-over WHO and take-command WHO (whose offer it is).
    """
    said = [_read(script.said, f"--answer {number}", line) for number, line in enumerate(given["answers"], start=1)]
    if given["script"] is not None:
        said += [_read(script.said, where, line) for where, line in _lines(given["script"])]
    looks = [_read(script.look, f"--finding {number}", line) for number, line in enumerate(given["findings"], start=1)]
    from domain.simulation.outcome import outcome
    from domain.simulation.play import Simulation
    from starters.cli import terminal
    from starters.files.simulated import CLASSES, simulated

    declaration = simulated(
        options.folder(),
        type_,
        given["severity"].upper(),
        environment=options.environment,
        by=options.who,
        phi=given["phi"],
    )
    _check_steps(declaration, looks)
    played = Simulation(declaration, CLASSES, looks, sealed=given["output"] is not None)
    played.run(said, given["length"])
    if given["output"] is not None:
        from reporting.formats.rendering import rendered

        write(given["output"], rendered(played.incident.timeline.entries, "html", terminal.clock(options)))
        click.echo(f"{given['output']} written", err=True)
    document = outcome(played)
    terminal.answer(options, document, lambda: _tables(document))


def _read(read: Any, where: str, line: str) -> Any:
    try:
        return read(line)
    except ValueError as error:
        raise click.UsageError(f"{where}: {error}") from error


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """The answers of a script with where each stands; empty lines and `#` say nothing."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path}: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield f"{path}:{number}", line


def _check_steps(declaration: "Declaration", looks: list[script.Look]) -> None:
    from domain.rules import findings

    known = [step.id for step in findings.probes(declaration.runbook)]
    for look in looks:
        if look.step not in known:
            raise click.UsageError(
                f"--finding: {look.step!r} is no probe of {declaration.runbook.id}: {', '.join(known)}"
            )


def _tables(document: dict[str, Any]) -> "Iterator[RenderableType]":
    """What came of it, as tables; several people who are paged for one reason at one minute are one row."""
    from starters.cli import terminal

    yield f"Simulated: {document['type']} {document['severity']}; its status at the end is {document['status']}"
    rows: dict[tuple[float, str], list[str]] = {}
    for page in document["pages"]:
        rows.setdefault((page["minute"], page["reason"]), []).append(page["to"])
    yield terminal.table(
        "Pages", "Minute", "To", "Why", rows=[(at, ", ".join(to), why) for (at, why), to in rows.items()]
    )
    for title, key, columns in (
        ("Reminders", "reminders", ("minute", "to", "subject")),
        ("Notices", "notices", ("minute", "step", "status")),
        ("Clocks that ran out", "expiries", ("minute", "what")),
        ("Refused", "refused", ("minute", "by", "command", "reason")),
    ):
        if document.get(key):
            rows_of = [[one[column] for column in columns] for one in document[key]]
            yield terminal.table(title, *(column.capitalize() for column in columns), rows=rows_of)
    if document["duties"]:
        owed = [(spoken(timedelta(minutes=one["due_minute"])), one["step"], one["state"]) for one in document["duties"]]
        yield terminal.table("Duties", "Due within", "Step", "State", rows=owed)
    for one in document.get("opened", []):
        yield from _tables(one)
