"""`incident report`: the account of an incident, from its document and its timeline."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from starters.options import Options, shared

if TYPE_CHECKING:
    from temporalio.client import Client

    from starters.conversation import Account


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--format", "format_", type=click.Choice(["markdown", "html", "json"]), help="Default: markdown.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@shared
def report(options: Options, incident: str, format_: str | None, output: Path | None) -> None:
    """Write the account of incident ID: what happened, who decided what, and what is left to do."""
    if options.as_json and format_ not in {None, "json"}:
        raise click.UsageError(f"--json and --format {format_} contradict each other")
    from starters import conversation, whole
    from starters.connection import run

    async def work(client: "Client") -> "Account":
        return await conversation.account(client, incident)

    text = _written(options, whole.completed(options, run(work)), "json" if options.as_json else format_ or "markdown")
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{output}: {error.strerror}") from error
    if options.as_json:
        click.echo(json.dumps({"incident_id": incident, "written": str(output)}))
    else:
        click.echo(f"{output} written", err=True)


def _written(options: Options, account: "Account", format_: str) -> str:
    from starters import report_content, report_render, terminal

    if format_ == "json":
        return json.dumps(report_content.facts(account.state, account.timeline), ensure_ascii=False)
    blocks = report_content.blocks(account.state, account.timeline, terminal.clock(options))
    if format_ == "html":
        return report_render.html(blocks, f"{account.state['id']}: {account.state['title']}")
    return report_render.markdown(blocks)
