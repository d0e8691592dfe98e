"""`incident start`: declare an incident."""

import asyncio
import html
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from starters.cli.output import print_json
from starters.cli.shared_options import shared
from starters.errors import RefusedError, UnreachableError
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client

    from domain.model.declaration import Declaration

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
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Run the clocks faster (sandbox only).")
@shared
def start(options: Options, type_: str, **given: Any) -> None:
    """Declare an incident of TYPE, which runs as a workflow until it is closed."""
    request = _Request(type=type_, **given)
    _check(request)
    declaration = _declaration(options, request)
    _check_size(declaration)
    from starters.cli import phi_warning
    from starters.client.connection import run

    phi_warning.warn(options, (request.title, request.description))
    run(_start, options, declaration)


def _check(request: _Request) -> None:
    if not request.title.strip() or len(request.title) > _TITLE_MAX or not request.title.isprintable():
        raise click.UsageError(f"--title must be one line of 1 to {_TITLE_MAX} characters")
    if len(request.description) > _DESCRIPTION_MAX:
        raise click.UsageError(f"--description must be {_DESCRIPTION_MAX} characters at most")
    if request.key is not None and not request.key.strip():
        raise click.UsageError("--key must not be empty")
    if request.key is not None and request.dry_run:
        raise click.UsageError("--dry-run takes no --key: an alert must never be matched to a dry run")


def _check_size(declaration: "Declaration") -> None:
    from domain.values import limits

    if (found := limits.size(declaration.model_dump(mode="json"))) > limits.DECLARATION:
        raise RefusedError(
            f"runbook, organisation, environment and obligations are {found} bytes together; at most "
            f"{limits.DECLARATION} can go on record: shorten them"
        )


def _declaration(options: Options, request: _Request) -> "Declaration":
    """Build the declaration from the organisation's files; the incident's id is set when it starts."""
    from domain.config.runbook import ProbeStep
    from domain.model.declaration import Declaration
    from domain.values.severity import Severity
    from starters.files.holidays import calendar
    from starters.files.loading import load_obligations, load_runbook
    from starters.files.organisation_folder import list_runbooks

    folder = options.folder()
    known = list_runbooks(folder)
    if known and request.type not in known:
        raise click.UsageError(f"there is no runbook for {request.type!r} in {folder}; known: {', '.join(known)}")
    organisation, environment = options.load_organisation(), options.load_environment()
    runbook = load_runbook(folder, request.type, organisation, environment)
    severity = Severity(request.severity)
    if severity not in runbook.severities:
        usual = ", ".join(runbook.severities)
        click.echo(f"Note: {runbook.id} is usually {usual}; declared as {severity}", err=True)
    if request.speed is not None and environment.kind != "sandbox":
        raise click.UsageError(f"--speed is for sandboxes only; {environment.name} is {environment.kind}")
    if options.who is not None and organisation.contact(options.who) is None:
        raise RefusedError(f"{options.who!r} is not a contact or role of {organisation.id}")
    opened = {step.opens for step in runbook.steps() if isinstance(step, ProbeStep) and step.opens}
    related = {name: load_runbook(folder, name, organisation, environment) for name in sorted(opened)}
    declared_at = datetime.now(UTC)
    return Declaration(
        related=related,
        obligations=load_obligations(folder, organisation),
        calendar=calendar(organisation, declared_at),
        incident_id="",
        title=request.title,
        description=request.description,
        severity=severity,
        declared_at=declared_at,
        declared_by=options.who or _UNNAMED,
        key=request.key,
        phi=request.phi,
        mode="dry-run" if request.dry_run else "live",
        speed=request.speed or 1,
        organisation=organisation,
        environment=environment,
        runbook=runbook,
        runbook_digest=runbook.digest(),
    )


async def _start(client: "Client", options: Options, declaration: "Declaration") -> None:
    from starters.client import start_once
    from starters.client.connection import nobody_answers, ui, worker_polls

    # at once: whether a worker polls takes a call of its own, and must not delay the start
    started, polled = await asyncio.gather(start_once.start(client, declaration, details), worker_polls(client))
    dry = declaration.mode == "dry-run"
    if not polled:
        problem = await nobody_answers(client)
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


def _print(answer: dict[str, Any], declaration: "Declaration", left: dict[str, Any] | None) -> None:
    incident = answer["incident_id"]
    if not answer["created"]:
        click.echo(f"{incident} is open under this key; the alert was recorded on it")
    else:
        what = "dry run" if left else "declared"
        click.echo(f"{incident} {what}: {declaration.severity} {declaration.runbook.title}: {declaration.title}")
    click.echo(answer["ui"])
    if left is not None:
        from starters.cli import incident_tables, terminal

        plans = [part for change in left["changes"] for part in incident_tables.plan(change)]
        terminal.show(incident_tables.findings(left), *plans)
    elif answer["created"]:
        click.echo(f"Next: incident ack {incident}, then incident watch {incident}")


def details(declaration: "Declaration") -> str:
    """What Temporal's UI shows of an incident: markdown, with people's texts escaped."""
    incident, runbook = declaration.incident_id, declaration.runbook
    dashboards = declaration.organisation.dashboards
    links = "\n".join(f"- [{html.escape(board.title)}]({board.url})" for board in dashboards)
    return f"""\
## {html.escape(declaration.title, quote=False)}

| | |
|---|---|
| Type | {runbook.title} (`{runbook.id}` {runbook.version}) |
| Severity | {declaration.severity} |
| Environment | {declaration.environment.name} |
| Mode | {declaration.mode} |
| Declared by | {html.escape(declaration.declared_by)} |

### Look
{links}

### Act
- `incident ack {incident}` or signal `acknowledge` with `{{"by": "<role>"}}`
- `incident watch {incident}` shows what is due and what to type next
- A change waits for approval in its own workflow: signal `approve` there, with its digest"""
