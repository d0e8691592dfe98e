"""`incident drill`: rehearse an incident, and see how it went."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from starters.cli import output, terminal
from starters.cli.shared_options import shared, sign_with_option
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.incidents import Unreadable
    from domain.values.local_time import Clock
    from reporting.drills.score import Score


@click.group()
def drill() -> None:
    """Start, list, score and stop drills: incidents that are rehearsed, in a sandbox or in staging."""


@drill.command()
@click.argument("scenario", metavar="[SCENARIO]", required=False)
@click.option("--kind", type=click.Choice(["response", "simulation"]), help="Draw a scenario of this kind.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Run the clocks faster (sandbox only).")
@shared
def start(options: Options, scenario: str | None, kind: str | None, speed: float | None) -> None:
    """Start a drill: of SCENARIO, or of one that is drawn. People are paged for it, with DRILL as the first word.

    It is refused while a live P0 or P1 incident is open. You are noted as one who knew.
    """
    environment, by = options.load_environment(), options.by()
    if environment.kind == "production":
        raise RefusedError(f"{environment.name} is production: drills are for sandboxes and staging")
    if speed is not None and environment.kind != "sandbox":
        raise click.UsageError(f"--speed is for sandboxes only; {environment.name} is {environment.kind}")
    from starters.client import drills
    from starters.client.connection import run, ui

    asked = {"environment": environment.name, "scenario": scenario, "kind": kind, "by": by, "speed": speed or 1}
    asked["proofs"] = environment.kind != "sandbox"

    async def begin(client: Any) -> tuple[dict[str, Any], str]:
        state = await drills.start(client, asked)
        return state, ui(client, state["incident"])

    state, place = run(begin)
    incident = state["incident"]
    document = {"incident_id": incident, "environment": environment.name, "scenario": state["scenario"], "ui": place}
    lines = f"DRILL {incident}: {state['scenario']}\n{place}\nNext: drill: incident ack {incident}"
    output.answer(options, document, lines)


@drill.command()
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--reason", required=True, help="Why, for the record.")
@sign_with_option
@shared
def stop(options: Options, id_: str | None, reason: str, sign_with: Path | None) -> None:
    """Stop the environment's drill, of incident ID: nobody is paged any more, and the fault is withdrawn.

    Outside a sandbox you sign that.
    """
    from starters.client import drills
    from starters.client.connection import run

    said, environment = {"by": options.by(), "reason": reason}, options.named_environment()

    def sign(payload: dict[str, Any], drill_run: str) -> dict[str, Any]:
        from authority.claims import Act
        from domain.model.proofs import of_drill_stop
        from starters.client.proving import Said, Signing

        about = {"id": None, "environment": environment, "proofs": True}
        stopped = Said(Act.STOP_DRILL, of_drill_stop(environment, drill_run, reason))
        return Signing(options, sign_with).signed(about, payload, stopped)

    found = run(drills.stop, environment, id_, said, sign)
    output.answer(options, found, f"{found['incident'] or 'The drill'} is over: {found['reason']}")


@drill.command(name="list")
@shared
def list_(options: Options) -> None:
    """List the drills of an environment, the newest first: scenario, verdict, points. From the ledger alone."""
    scores, unreadable = _scores(options)
    _show(options, scores[::-1], unreadable, f"Drills of {options.named_environment()}")


@drill.command()
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--format", "format_", type=click.Choice(["html", "svg"]), help="A picture, of scores over time.")
@click.option("-o", "--output", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@shared
def report(options: Options, id_: str | None, format_: str | None, file: Path | None) -> None:
    """Score drill ID, each point with the entry that shows it; without ID, show all scores over time.

    It is made of the ledger alone, and needs no Temporal.
    """
    if format_ is not None and (options.as_json or id_):
        raise click.UsageError("--format is for all scores, and not beside --json")
    if file is not None and format_ is None and not options.as_json:
        raise click.UsageError("-o wants a format: give --format html, --format svg or --json")
    if id_ is not None:
        _report_one(options, id_, file)
        return
    scores, unreadable = _scores(options)
    title = f"Drills of {options.named_environment()}, scores over time"
    if format_ is not None:
        from reporting.drills import page
        from starters.client import recorded_incidents

        drawn = page.page if format_ == "html" else page.chart
        output.deliver(drawn(scores, title, terminal.clock(options)) + b"\n", file)
        recorded_incidents.refuse(unreadable)
        return
    _show(options, scores, unreadable, title, file)


def _report_one(options: Options, id_: str, file: Path | None) -> None:
    scores, unreadable = _scores(options)
    found = next((one for one in scores if one.id == id_), None)
    if found is None:
        from starters.client import recorded_incidents

        recorded_incidents.refuse([one for one in unreadable if one.id == id_])
        known = ", ".join(one.id for one in scores[-5:]) or "none"
        raise RefusedError(f"the ledger has no drill {id_}; the last ones: {known}")
    if options.as_json:
        output.print_json(_document(found), file)
        return
    head = f"{found.id}: {found.scenario} ({found.kind}), {found.verdict}, {found.met} of {len(found.points)}"
    rows = [["yes" if point.met else "NO", point.name, point.text, point.entry] for point in found.points]
    over = [f"The drill was ended: {found.reason}"] if found.reason else []
    table = terminal.table(None, "Met", "Point", "What shows it", "Entry", rows=rows)
    terminal.show(head, f"Knew beforehand: {found.knew}", *over, table)


def _show(
    options: Options, scores: "list[Score]", unreadable: "list[Unreadable]", title: str, file: Path | None = None
) -> None:
    from reporting.drills.page import COLUMNS
    from starters.client import recorded_incidents

    if options.as_json:
        rows = [one._asdict() for one in unreadable]
        output.print_json({"drills": [_document(one) for one in scores], "unreadable": rows}, file)
    else:
        clock: Clock = terminal.clock(options)
        lines = [[clock(one.declared_at), *(cell(one) for cell in COLUMNS.values())] for one in scores]
        none = [] if scores else ["none yet: incident drill start"]
        terminal.show(terminal.table(title, "Declared", *COLUMNS, rows=lines), *none)
    recorded_incidents.refuse(unreadable)


def _document(found: "Score") -> dict[str, Any]:
    return {**found.model_dump(mode="json"), "met": found.met, "of": len(found.points)}


def _scores(options: Options) -> "tuple[list[Score], list[Unreadable]]":
    """The score of every drill that the ledger has, oldest first, and what could not be read."""
    from reporting.drills.score import is_drill, score
    from starters.client import recorded_incidents

    unreadable: list[Unreadable] = []
    records = recorded_incidents.records(options, unreadable)
    return [score(entries) for _, entries in records if is_drill(entries)], unreadable
