"""`incident contact`: whether people are reached by what the organisation's file says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domain.values.timestamps import stamp
from starters.cli import terminal
from starters.cli.output import answer, print_json
from starters.cli.shared_options import shared, sign_with_option
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.incidents import Unreadable
    from domain.values.local_time import Clock
    from reporting.contacts.reached import Reached

_LOOKS_BACK = timedelta(days=400)
"""What was confirmed earlier is as good as unknown."""


@click.group()
def contact() -> None:
    """See by which channels people are known to be reached, and confirm one."""


@contact.command(name="list")
@shared
def list_(options: Options) -> None:
    """List every contact, channel and external party: when last confirmed and how, and the check that is open.

    It is made of the ledger of the last 400 days alone, and needs no Temporal. What is not on record is unknown.
    """
    from reporting.contacts.reached import reached
    from starters.client import recorded_incidents

    now = datetime.now(UTC)
    unreadable: list[Unreadable] = []
    organisation = options.load_organisation()
    rows = reached(organisation, recorded_incidents.incidents(options, unreadable, now - _LOOKS_BACK))
    if options.as_json:
        head = {"at": stamp(now), "environment": options.named_environment()}
        documents = [one.model_dump(mode="json") for one in rows]
        print_json({**head, "contacts": documents, "unreadable": [one._asdict() for one in unreadable]})
    else:
        clock = terminal.clock(options)
        columns = ("Contact", "Channel", "Confirmed", "Open check")
        title = f"Contacts of {organisation.title}, in {clock.name}"
        terminal.show(terminal.table(title, *columns, rows=[_cells(one, clock) for one in rows], lines=True))
        if unreadable:
            terminal.show(terminal.unreadable(unreadable))
    recorded_incidents.refuse(unreadable)


def _cells(one: "Reached", clock: "Clock") -> list[str]:
    by = f"\n{one.by}: {one.how}" if one.confirmed_at else ""
    missed = f"\nno answer by {clock(one.missed_at)}" if one.missed_at else ""
    waits = f"{one.open.incident}\nuntil {clock(one.open.due_at)}" if one.open else ""
    confirmed = clock(one.confirmed_at) if one.confirmed_at else "unknown"
    return [one.contact, "\n".join(filter(None, (one.channel, one.address))), f"{confirmed}{by}{missed}", waits]


@contact.command()
@click.argument("code", required=False)
@click.option("--for", "contact_", metavar="ID", help="Instead of a code: whose checks, a contact or external party.")
@click.option("--note", metavar="HOW", help="With --for: how they were heard.")
@sign_with_option
@shared
def confirm(options: Options, code: str | None, contact_: str | None, note: str | None, sign_with: Path | None) -> None:
    """Confirm that CODE arrived, which a check sent you; or, as the lead, how somebody was heard."""
    from starters.cli import phi_warning
    from starters.client import contact_checks
    from starters.client.connection import run
    from starters.client.proving import Signing

    signing = Signing(options, sign_with)
    if code is not None and contact_ is None and note is None:
        done = run(contact_checks.confirm, signing, options.by(), code)
    elif code is None and contact_ is not None and note is not None:
        phi_warning.warn([note], lambda: options.load_organisation().model_dump(mode="json"))
        done = run(contact_checks.heard, signing, options.by(), options.named_environment(), contact_, note)
    else:
        raise click.UsageError("give either CODE, or --for ID with --note HOW")
    answer(options, done, "\n".join(f"Confirmed: {one['title']} ({one['incident']})" for one in done))
