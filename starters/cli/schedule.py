"""`incident schedule`: what an organisation does by the clock, as Temporal has it."""

import sys
from typing import TYPE_CHECKING, Any

import click

from starters.cli import output, terminal
from starters.cli.shared_options import shared
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client

    from domain.config.schedule import Schedule
    from starters.client.schedule_rows import Place
    from starters.client.schedules import Plan, Standing


@click.group()
def schedule() -> None:
    """Apply, list, run and pause schedules: drills, reviews, checks."""


@schedule.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--prune", is_flag=True, help="Also remove what stands in Temporal and not in the file.")
@shared
def apply(options: Options, yes: bool, prune: bool) -> None:
    """Make the environment's schedules in Temporal as `schedules.yaml` has them; first print what would change.

    A schedule that somebody paused stays paused.
    """
    options.load_environment()  # refused unless it is filled in: a run would serve nobody
    from starters.cli import schedule_text
    from starters.client import schedules
    from starters.client.connection import run

    rows, place = _rows(options)

    async def look(client: "Client") -> "tuple[Plan, dict[str, Standing]]":
        there = await schedules.standing(client, place.environment, rows)
        return schedules.compare(rows, there, place), there

    plan, there = run(look)
    told, work = schedule_text.planned(plan, there, place, prune=prune), schedule_text.work(plan, prune=prune)
    document = schedule_text.plan_document(plan, there, place, prune=prune)
    asked = bool(work) and not yes
    if asked and not _ask(told):
        terminal.answer(options, {**document, "applied": False}, lambda: [told])
        raise click.UsageError("without a terminal, give --yes")
    if work:
        run(schedules.apply, plan, rows, place, prune=prune)
    done = f"Done: {work}." if work else "Nothing to do."
    terminal.answer(options, {**document, "applied": bool(work)}, lambda: [done] if asked else [told, done])


def _ask(told: Any) -> bool:
    """Show the plan on the terminal and ask; False without a terminal. Raises `RefusedError` for a no."""
    # stderr too: the plan is shown there, as stdout belongs to the command's result
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    terminal.console(stderr=True).print(told)
    if not click.confirm("Apply exactly this?", err=True):
        raise RefusedError("not applied")
    return True


@schedule.command(name="list")
@shared
def list_(options: Options) -> None:
    """List the environment's schedules: when each runs next, what came of its last run, and whether it is paused."""
    from starters.cli import schedule_text

    documents = _documents(options, None, last=1)
    clock = terminal.clock(options)
    title = f"Schedules of {options.named_environment()}, in {clock.name}"
    terminal.answer(options, documents, lambda: [schedule_text.table(title, documents, clock)])


@schedule.command()
@click.argument("id_", metavar="ID")
@shared
def show(options: Options, id_: str) -> None:
    """Show schedule ID: its next ten times, its last runs, and how many it missed."""
    from starters.cli import schedule_text

    (document,) = _documents(options, id_, last=10)
    terminal.answer(options, document, lambda: schedule_text.shown(document, terminal.clock(options)))


@schedule.command(name="run")
@click.argument("id_", metavar="ID")
@shared
def run_(options: Options, id_: str) -> None:
    """Start a run of schedule ID now, even if it is paused."""
    from starters.client import schedules
    from starters.client.connection import run, ui

    async def work(client: "Client") -> tuple[str, str]:
        there = await _found(client, options.named_environment(), id_)
        workflow = await schedules.trigger(client, options.named_environment(), id_, there)
        return workflow, ui(client, workflow)

    workflow, place = run(work)
    document = {"id": id_, "environment": options.named_environment(), "workflow_id": workflow, "ui": place}
    output.answer(options, document, f"{id_} runs: {workflow}\n{place}")


@schedule.command()
@click.argument("id_", metavar="ID")
@click.option("--reason", required=True, help="Why, for whoever finds it paused.")
@shared
def pause(options: Options, id_: str, reason: str) -> None:
    """Pause schedule ID: until it is resumed, it runs only by `incident schedule run`."""
    _set_paused(options, id_, f"{options.by()}: {reason}", pause=True)


@schedule.command()
@click.argument("id_", metavar="ID")
@shared
def resume(options: Options, id_: str) -> None:
    """Resume schedule ID; what was due while it was paused is not done afterwards."""
    _set_paused(options, id_, f"resumed by {options.by()}", pause=False)


def _set_paused(options: Options, id_: str, note: str, *, pause: bool) -> None:
    """Pause or resume, with a note. Raises `RefusedError` for what is paused, or runs, already."""
    from starters.client import schedules
    from starters.client.connection import RPC_TIMEOUT, run

    environment = options.named_environment()

    async def work(client: "Client") -> None:
        there = await _found(client, environment, id_)
        if pause == (there.paused is not None):
            why = terminal.clean(there.paused)
            raise RefusedError(f"{id_} is paused already: {why}" if pause else f"{id_} is not paused")
        one = schedules.handle(client, environment, id_)
        await (one.pause if pause else one.unpause)(note=note, rpc_timeout=RPC_TIMEOUT)

    run(work)
    document = {"id": id_, "environment": environment, "paused": note if pause else None}
    output.answer(options, document, f"{id_} is paused ({note})" if pause else f"{id_} goes on")


async def _found(client: "Client", environment: str, id_: str) -> "Standing":
    """A schedule as it stands, whatever the files say. Raises `RefusedError`, which names those that there are."""
    from domain.config.names import unknown
    from starters.client import schedules

    if there := await schedules.find(client, environment, id_):
        return there
    if known := await schedules.standing(client, environment):
        raise RefusedError(unknown(id_, known, "schedule"))
    raise RefusedError(f"Temporal has no schedules of {environment}; make them: incident schedule apply")


def _rows(options: Options) -> "tuple[dict[str, Schedule], Place]":
    """What the file has for the environment, and where that stands."""
    from starters.client.schedule_rows import Place
    from starters.files.organisation_folder import load_schedules

    environment, zone = options.named_environment(), options.load_organisation().timezone
    return load_schedules(options.folder(), zone).of(environment), Place(environment, zone)


def _documents(options: Options, only: str | None, last: int) -> list[dict[str, Any]]:
    """Every schedule of the environment, or one, in the file or in Temporal, with so many of its last runs."""
    from domain.config.names import unknown
    from starters.cli import schedule_text
    from starters.client import schedules
    from starters.client.connection import run
    from starters.files.organisation_folder import load_environment

    load_environment(options.folder(), options.named_environment(), allow_placeholders=True)
    rows, place = _rows(options)

    async def work(client: "Client") -> list[dict[str, Any]]:
        there = await schedules.standing(client, place.environment, rows)
        ids = [*rows, *(id_ for id_ in there if id_ not in rows)]
        if only is not None and only not in ids:
            raise RefusedError(unknown(only, ids, "schedule"))
        plan = schedules.compare(rows, there, place)
        return [
            schedule_text.document(id_, rows.get(id_), one, plan, runs)
            for id_ in ids
            if only in {None, id_}
            for one in [there.get(id_)]
            for runs in [await schedules.runs(client, one, last) if one else []]
        ]

    return run(work)
