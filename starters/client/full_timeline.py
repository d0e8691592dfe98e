"""The whole timeline of an incident: from the ledger, or from its workflow and what that has let go of."""

import click

from domain.model.timeline import Entry
from starters.client.incident_client import Account, Document
from starters.errors import RefusedError
from starters.files.problems import InvalidFile
from starters.options import Options


def entries(options: Options, incident: str) -> list[Entry]:
    """Every entry, with what followed after the end: from the ledger, else from the workflow, which is said on stderr.

    Raises `RefusedError` when neither has the incident.
    """
    try:
        return in_ledger(options, incident)
    except (RefusedError, InvalidFile, click.UsageError) as error:
        found = by_workflow(options, incident).timeline
        click.echo(f"Not from the ledger: {str(error).splitlines()[0]}", err=True)
        return [Entry.model_validate(entry) for entry in found]


def by_workflow(options: Options, incident: str) -> Account:
    """The account that the incident's workflow gives, completed from the ledger where the incident is long."""
    from starters.client import incident_client
    from starters.client.connection import run

    return completed(options, run(incident_client.account, incident))


def completed(options: Options, account: Account) -> Account:
    """Put the entries before those that the workflow still carries, from the ledger of the incident's environment.

    Raises `RefusedError` when they cannot be read, or do not lead to the workflow's own.
    """
    carried = account.timeline
    if not carried or carried[0]["seq"] == 1:
        return account
    first, id_ = carried[0], str(account.state["id"])
    stored = in_ledger(options._replace(environment=account.state["environment"]), id_)
    older = [entry for entry in documents(stored) if entry["seq"] < first["seq"]]
    if len(older) != first["seq"] - 1 or older[-1]["hash"] != first["prev"]:
        raise RefusedError(f"the ledger does not lead to entry {first['seq']}: incident audit verify {id_}")
    return Account(account.state, older + carried)


def in_ledger(options: Options, incident: str) -> list[Entry]:
    """Every entry that the ledger has, with what followed after the incident's end; needs no Temporal."""
    from activities.ledger.reader import LedgerReader
    from domain.audit.verdict import account
    from starters.client.aws_session import vault

    with vault(options, f"reading the ledger of {incident}") as (clients, environment):
        copy = LedgerReader(clients, environment).read_chain(incident)
    try:
        return account(copy)
    except ValueError as error:
        raise RefusedError(f"the ledger is broken: incident audit verify {incident}") from error


def documents(entries: list[Entry]) -> list[Document]:
    """Entries as `incident timeline --json` prints them."""
    return [entry.model_dump(mode="json") for entry in entries]
