"""The whole timeline of an incident: from the ledger, or from its workflow and what that has let go of."""

from typing import TYPE_CHECKING

import click

from domain.model.timeline import Entry
from starters.client.incident_client import Account
from starters.errors import RefusedError
from starters.files.problems import InvalidFile
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client


def told(options: Options, incident: str) -> list[Entry]:
    """Every entry, with what followed after the end: from the ledger, else from the workflow, which is said on stderr.

    Raises `RefusedError` when neither has the incident.
    """
    try:
        found = in_ledger(options, incident)
    except (RefusedError, InvalidFile, click.UsageError) as error:
        reason = str(error.message if isinstance(error, click.UsageError) else error).splitlines()[0]
        found = by_workflow(options, incident).timeline
        click.echo(f"Not from the ledger: {reason}", err=True)
    return [Entry.model_validate(entry) for entry in found]


def by_workflow(options: Options, incident: str) -> Account:
    """The account that the incident's workflow gives, completed from the ledger where the incident is long."""
    from starters.client import incident_client
    from starters.client.connection import run

    async def work(client: "Client") -> Account:
        return await incident_client.account(client, incident)

    return completed(options, run(work))


def completed(options: Options, account: Account) -> Account:
    """Put the entries before those that the workflow still carries, from the ledger of the incident's environment.

    Raises `RefusedError` when they cannot be read, or do not lead to the workflow's own.
    """
    carried = account.timeline
    if not carried or carried[0]["seq"] == 1:
        return account
    first = carried[0]
    older = [entry for entry in _ledger(options, account.state) if entry["seq"] < first["seq"]]
    if len(older) != first["seq"] - 1 or older[-1]["hash"] != first["prev"]:
        id_ = account.state["id"]
        raise RefusedError(f"the ledger does not lead to entry {first['seq']}: incident audit verify {id_}")
    return Account(account.state, older + carried)


def in_ledger(options: Options, incident: str) -> list[dict[str, object]]:
    """Every entry that the ledger has, with what followed after the incident's end; needs no Temporal."""
    return _entries(options, options.named_environment(), incident)


def _ledger(options: Options, state: dict[str, object]) -> list[dict[str, object]]:
    return _entries(options, str(state["environment"]), str(state["id"]))


def _entries(options: Options, environment_name: str, incident: str) -> list[dict[str, object]]:
    from activities.ledger.reader import LedgerReader
    from domain.audit.verdict import account
    from starters.client.aws_session import vault
    from starters.files.organisation_folder import load_environment

    environment = load_environment(options.folder(), environment_name)
    with vault(environment, f"reading the ledger of {incident}") as clients:
        copy = LedgerReader(clients, environment).read_chain(incident)
    try:
        return [entry.model_dump(mode="json") for entry in account(copy)]
    except ValueError as error:
        raise RefusedError(f"the ledger is broken: incident audit verify {incident}") from error
