"""`incident runbook approve`: what an owner has signed off in a review goes into the runbook's file."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from domain.config.runbook import Runbook
from domain.rules.reviewing import SignOff, latest_review
from starters.cli import terminal
from starters.cli.output import write
from starters.client import recorded_incidents
from starters.errors import RefusedError
from starters.files.approval import approved
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.incidents import Unreadable
    from starters.files.kept import Document


def take_over(options: Options, type_: str, runbook: Runbook, version: str | None) -> "Document":
    """Write version and day of the last review into the file, once; raises `RefusedError` where that would be wrong."""
    signed = _signed_off(options, type_, runbook)
    file = options.folder() / f"{type_}.yaml"
    day = signed.at.astimezone(terminal.clock(options).zone).date()
    fresh = runbook.approved is None or runbook.reviewed is None or runbook.reviewed < day
    becomes = version or _next(runbook.version) if fresh else runbook.version
    if fresh:
        text = approved(file, becomes, day, signed.by)
        write(file, text.encode(), keep_mode=True)
    told = {"type": type_, "file": str(file), "version": becomes, "was": runbook.version}
    review = {"incident": signed.incident, "by": signed.by, "note": signed.note}
    return {**told, "reviewed": str(day if fresh else runbook.reviewed), **review, "changed": fresh}


def said(document: "Document", approvers: Sequence[str]) -> str:
    """What was taken over, for people; `approvers` are the roles that sign the file then."""
    file, version, reviewed = document["file"], document["version"], document["reviewed"]
    if not document["changed"]:
        return f"{file} has it already: version {version}, reviewed {reviewed}"
    sign = f", and have {' and '.join(approvers)} approve it (incident runbook approve)" if approvers else ""
    return (
        f"{file}: version {version}, reviewed {reviewed}, as {document['by']} signed off in {document['incident']}\n"
        f"Next: commit {file}{sign}"
    )


def _signed_off(options: Options, type_: str, runbook: Runbook) -> SignOff:
    """The last review, if its owner has signed it off and the file is still what was reviewed."""
    unreadable: list[Unreadable] = []
    signed = latest_review(recorded_incidents.incidents(options, unreadable), type_)
    recorded_incidents.refuse(unreadable)
    if signed is None:
        raise RefusedError(f"nobody has signed off a review of {type_}: incident list shows those under way")
    if not signed.by_owner:
        raise RefusedError(f"{signed.incident} was signed off by {signed.by}, who is not the owner ({runbook.owner})")
    if signed.substance != runbook.substance():
        raise RefusedError(
            f"the runbook {type_} is not what was reviewed in {signed.incident}: "
            f"take back what was changed since, or have it reviewed again"
        )
    return signed


def _next(version: str) -> str:
    """The version after this one: the number at its end plus one."""
    found = re.fullmatch(r"(.*?)(\d+)", version)
    if found is None:
        raise click.UsageError(f"version {version!r} ends with no number: give --version V")
    return f"{found[1]}{int(found[2]) + 1}"
