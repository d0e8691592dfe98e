"""`incident restore`: go on with incidents when Temporal has lost them, from the ledger alone."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from starters.cli import terminal
from starters.cli.output import print_json
from starters.cli.shared_options import shared
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client

    from domain.rules.run import RestoreOutcome

_PATIENCE = timedelta(minutes=30)
_SAID = {
    "restored": "restored",
    "would-restore": "would be restored",
    "running": "runs already: left alone",
    "refused": "cannot be restored",
}


@click.command()
@click.argument("incident", required=False)
@click.option("--all", "every", is_flag=True, help="Every incident that is open in the ledger.")
@click.option("--from-ledger", is_flag=True, help="From the ledger: the default, and the only source.")
@click.option("--dry-run", is_flag=True, help="Only say what would be restored.")
@shared
def restore(options: Options, incident: str | None, every: bool, from_ledger: bool, dry_run: bool) -> None:
    """Start incident ID, or --all that are open in the ledger, again where they stood.

    For a namespace, a cluster or its database that is gone for good. The workers read the ledger, check it and go on
    under a new term; an incident that is running is left alone, so that a second time does no harm.
    """
    if every == (incident is not None):
        raise click.UsageError("say which: give an incident's ID, or --all")
    del from_ledger
    from starters.client.connection import run

    outcomes = run(_restored, options.named_environment(), incident, dry_run=dry_run)
    if options.as_json:
        print_json([{**one.found.model_dump(mode="json"), "outcome": one.outcome} for one in outcomes])
    else:
        _show(options, outcomes)
    for one in outcomes:
        if one.outcome == "refused":
            raise RefusedError(f"{one.found.incident} cannot be restored: {one.found.problem}")
    if incident is not None and not outcomes:
        raise RefusedError(f"{incident} has ended: there is nothing to restore")


async def _restored(
    client: "Client", environment: str, incident: str | None, *, dry_run: bool
) -> "list[RestoreOutcome]":
    """Run the Restore workflow; the client hands over an id and nothing else."""
    from temporalio.client import WorkflowFailureError
    from temporalio.common import RawValue
    from temporalio.exceptions import ActivityError

    from domain.rules.run import RestoreOutcome
    from domain.values.ids import restore_workflow_id, task_queue
    from starters.client.answers import taken
    from starters.client.connection import nobody_answers, worker_polls
    from workflows.failures import reason

    queue, name = task_queue(environment), restore_workflow_id(str(uuid4()))
    if not await worker_polls(client, queue=queue):
        raise await nobody_answers(client, queue=queue)
    try:
        answer = await client.execute_workflow(
            "Restore",
            {"incident": incident, "dry_run": dry_run},
            id=name,
            task_queue=queue,
            result_type=RawValue,
            execution_timeout=_PATIENCE,
        )
    except WorkflowFailureError as error:
        cause = error.cause
        raise RefusedError(reason(cause) if isinstance(cause, ActivityError) else str(cause)) from error
    return [RestoreOutcome.model_validate(one) for one in taken(name, answer)]


def _show(options: Options, outcomes: "list[RestoreOutcome]") -> None:
    clock = terminal.clock(options)

    def cells(one: "RestoreOutcome") -> list[Any]:
        found = one.found
        outcome = f"{_SAID[one.outcome]}{': ' + found.problem if found.problem else ''}"
        return [found.incident, found.severity or "", found.status, found.title, clock(found.until), outcome]

    columns = ("Incident", "Severity", "Status", "Title", "Known up to", "Outcome")
    table = terminal.table("From the ledger", *columns, rows=map(cells, outcomes))
    terminal.show(table if outcomes else "Nothing is open in the ledger.")
