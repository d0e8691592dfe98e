"""`incident start`: declare an incident."""

import asyncio
import html
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from starters.cli.output import print_json
from starters.cli.shared_options import shared
from starters.errors import RefusedError, UnreachableError
from starters.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.client import Client

    from starters.files.kept import Document

_TITLE_MAX = 200
_DESCRIPTION_MAX = 4000
_UNNAMED = "unknown"


class _Request(NamedTuple):
    """The command line's arguments, as given."""

    type: str
    severity: str
    title: str
    description: str
    key: str | None
    phi: bool
    dry_run: bool
    speed: float | None
    unapproved: bool


@click.command()
@click.argument("type_", metavar="TYPE")
@click.option("--severity", type=click.Choice(["P0", "P1", "P2", "P3"]), required=True, help="How severe it is.")
@click.option("--title", required=True, help="One line that identifies it; no personal information.")
@click.option("--description", default="", help="What is known; no personal information.")
@click.option("--key", help="Deduplication key: if an incident with this key is open, it is returned instead.")
@click.option("--phi", is_flag=True, help="Sensitive information, such as health information, may be affected.")
@click.option(
    "--dry-run", is_flag=True, help="Run probes and plan changes; page nobody, change nothing; print the findings."
)
@click.option(
    "--unapproved",
    is_flag=True,
    help="Declare it in production though its runbook is not signed: no change, no notice.",
)
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Run the clocks faster (sandbox only).")
@shared
def start(options: Options, type_: str, **given: Any) -> None:
    """Declare an incident of TYPE, which runs as a workflow until it is closed.

    In production its runbook has to be approved, where the organisation names who does (incident runbook approve). With
    --unapproved it pages, looks and keeps evidence meanwhile; what changes or tells something waits for the signatures.
    Give it with alarms: nobody is there to read why one was refused.
    """
    request = _Request(type=type_, **given)
    _check(request)
    from starters.files.declarable import fitted

    declaration = fitted(_declaration(options, request))
    _check_size(declaration)
    from starters.cli import phi_warning
    from starters.client.connection import run

    phi_warning.warn((request.title, request.description), lambda: declaration["organisation"])
    run(_start, options, declaration)


def _check(request: _Request) -> None:
    if not request.title.strip() or len(request.title) > _TITLE_MAX or not request.title.isprintable():
        raise click.UsageError(f"--title must be one line of 1 to {_TITLE_MAX} characters")
    if len(request.description) > _DESCRIPTION_MAX:
        raise click.UsageError(f"--description must be {_DESCRIPTION_MAX} characters at most")
    if request.key is not None and not request.key.strip():
        raise click.UsageError("--key must not be empty")
    if request.speed is not None and not math.isfinite(request.speed):
        raise click.UsageError("--speed must be a number, such as 60")
    if request.key is not None and request.dry_run:
        raise click.UsageError("--dry-run takes no --key: an alert must never be matched to a dry run")


def _declaration(options: Options, request: _Request) -> "Document":
    """Build the declaration, as JSON; the incident's id is set when it starts."""
    from starters.files.declarable import declarable

    now = datetime.now(UTC)
    environment = options.named_environment()
    found = declarable(options.folder(), request.type, environment, now)
    runbook, organisation, kind = found["runbook"], found["organisation"], found["environment"]["kind"]
    if request.severity not in runbook["severities"]:
        usual = ", ".join(runbook["severities"])
        click.echo(f"Note: {runbook['id']} is usually {usual}; declared as {request.severity}", err=True)
    if kind == "production":
        _refuse_unapproved(request, runbook, found["lacking"])
    if request.speed is not None and kind != "sandbox":
        raise click.UsageError(f"--speed is for sandboxes only; {environment} is {kind}")
    if kind != "sandbox":
        options.by()  # elsewhere nobody declares an incident without a name
    known = {name for contact in organisation["contacts"] for name in (contact["id"], *contact["roles"])}
    if options.who is not None and options.who not in known:
        raise RefusedError(f"{options.who!r} is not a contact or role of {organisation['id']}")
    if request.severity == "P0" and not request.dry_run:
        _tell_of_what_begins(found["runbook"]["id"], found["preauthorisations"])
    return found | {
        "title": request.title,
        "description": request.description,
        "severity": request.severity,
        "declared_at": now.isoformat(),
        "declared_by": options.who or _UNNAMED,
        "key": request.key,
        "phi": request.phi,
        "mode": "dry-run" if request.dry_run else "live",
        "speed": request.speed or 1,
    }


def _tell_of_what_begins(type_: str, preauthorisations: "Sequence[Document]") -> None:
    """Whoever declares it is told what nobody will ask them about."""
    for one in (each for each in preauthorisations if each["terms"]["type"] == type_):
        by = " and ".join(signed["claim"]["by"] for signed in one["signed"])
        click.echo(f"Note: {one['terms']['step']} may begin by itself: {by} pre-authorised it", err=True)


def _refuse_unapproved(request: _Request, runbook: "Document", lacking: "Sequence[str]") -> None:
    """Refuse a version that has to be signed yet, unless it is only looked at, or declared all the same."""
    if not lacking:
        if not runbook["approved"]:
            click.echo(f"Note: nobody has approved version {runbook['version']} of {runbook['id']}", err=True)
        return
    from domain.rules.approving import unapproved

    why = unapproved(runbook["id"], runbook["version"], lacking)
    if not request.unapproved and not request.dry_run:
        raise RefusedError(
            f"{why}. If it is urgent, add --unapproved: people are paged, probes look and evidence is kept at once; "
            "changes and notices are refused until it is signed"
        )
    click.echo(f"Note: {why}; until then nothing is changed, and nobody outside is told", err=True)


def _check_size(declaration: "Document") -> None:
    from domain.values import limits
    from starters.files.declarable import UNCOUNTED

    if (found := limits.size({**declaration, **UNCOUNTED})) > limits.DECLARATION:
        raise RefusedError(
            f"runbook, organisation, environment and obligations are {found} bytes together; at most "
            f"{limits.DECLARATION} can go on record: shorten them"
        )


async def _start(client: "Client", options: Options, declaration: "Document") -> None:
    from domain.values.ids import task_queue
    from starters.client import start_once
    from starters.client.connection import nobody_answers, ui, worker_polls

    # at once: whether a worker polls takes a call of its own, and must not delay the start
    queue = task_queue(declaration["environment"]["name"])
    started, polled = await asyncio.gather(
        start_once.start(client, declaration, details), worker_polls(client, queue=queue)
    )
    dry = declaration["mode"] == "dry-run"
    if not polled:
        problem = await nobody_answers(client, queue=queue)
        if dry:
            raise UnreachableError(f"{started.incident} was created, but {problem}")
        click.echo(f"Warning: {problem}; {started.incident} was created and waits for one", err=True)
    answer = {"incident_id": started.incident, "created": started.created, "ui": ui(client, started.incident)}
    left = None
    if dry:
        from starters.client.incident_client import final

        left = await final(client, started.incident)
    if options.as_json:
        print_json({**answer, "state": left} if dry else answer)
        return
    _print(answer, declaration, left)


def _print(answer: dict[str, Any], declaration: "Document", left: dict[str, Any] | None) -> None:
    incident = answer["incident_id"]
    if not answer["created"]:
        click.echo(f"{incident} is open under this key; the alert was recorded on it")
    else:
        what = "dry run" if left else "declared"
        runbook = declaration["runbook"]["title"]
        click.echo(f"{incident} {what}: {declaration['severity']} {runbook}: {declaration['title']}")
    click.echo(answer["ui"])
    if left is not None:
        from starters.cli import incident_tables, terminal

        plans = [part for change in left["changes"] for part in incident_tables.plan(change)]
        terminal.show(incident_tables.findings(left), *plans)
    elif answer["created"]:
        click.echo(f"Next: incident ack {incident}, then incident watch {incident}")


def details(declaration: "Document") -> str:
    """What Temporal's UI shows of an incident: markdown, with people's texts escaped."""
    incident, runbook = declaration["incident_id"], declaration["runbook"]
    dashboards = declaration["organisation"]["dashboards"]
    links = "\n".join(f"- [{html.escape(board['title'])}]({board['url']})" for board in dashboards)
    return f"""\
## {html.escape(declaration["title"], quote=False)}

| | |
|---|---|
| Type | {runbook["title"]} (`{runbook["id"]}` {runbook["version"]}) |
| Severity | {declaration["severity"]} |
| Environment | {declaration["environment"]["name"]} |
| Mode | {declaration["mode"]} |
| Declared by | {html.escape(declaration["declared_by"])} |

### Look
{links}

### Act
- `incident ack {incident}` or signal `acknowledge` with `{{"by": "<role>"}}`
- `incident watch {incident}` shows what is due and what to type next
- A change waits for approval in its own workflow: signal `approve` there, with its digest"""
