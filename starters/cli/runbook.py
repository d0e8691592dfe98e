"""`incident runbook`: read and check the runbooks of an organisation."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from starters.cli import terminal
from starters.cli.output import deliver, print_json
from starters.cli.shared_options import shared, sign_with_option
from starters.files.problems import InvalidFile
from starters.options import Options

if TYPE_CHECKING:
    from domain.config.runbook import Runbook


_LISTED = {"id", "title", "version", "severities", "owner"}


@click.group()
def runbook() -> None:
    """List, show, draw, check and compare runbooks."""


@runbook.command(name="list")
@shared
def list_(options: Options) -> None:
    """List the incident types that the organisation has a runbook for."""
    from starters.files import organisation_folder

    folder = options.folder()
    books = [_load(options, name) for name in organisation_folder.list_runbooks(folder)]
    documents = [book.model_dump(mode="json", include=_LISTED) for book in books]
    rows = ([book.id, book.title, book.version, ", ".join(book.severities), book.owner] for book in books)
    columns = ("Type", "Title", "Version", "Severities", "Owner")
    terminal.answer(options, documents, lambda: [terminal.table(f"Runbooks in {folder}", *columns, rows=rows)])


@runbook.command()
@click.argument("type_", metavar="TYPE")
@shared
def show(options: Options, type_: str) -> None:
    """Show the runbook for incident type TYPE in readable form."""
    book = _load(options, type_)
    from starters.cli.runbook_signing import Standing, approval_lines, approval_rows
    from starters.cli.runbook_text import lines

    organisation = options.load_organisation()
    standing = Standing(options.folder(), organisation)
    if options.as_json:
        digest = book.digest()
        signed = {"approvals": approval_rows(standing, digest), "lacking": [*standing.lacking(digest)]}
        print_json({**book.model_dump(mode="json", by_alias=True), "digest": digest, **signed})
        return
    title, *rest = lines(book, organisation)
    for line in (title, *approval_lines(options, standing, book), *rest):
        click.echo(terminal.folded(line))


@runbook.command()
@click.argument("type_", metavar="TYPE")
@click.option("--format", "format_", type=click.Choice(["mermaid", "svg"]), default="mermaid", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@shared
def graph(options: Options, type_: str, format_: str, output: Path | None) -> None:
    """Draw the runbook for incident type TYPE: its steps by phase, and what leads to what."""
    from reporting.formats.svg import svg
    from reporting.runbook import graph as graphs

    book = _load(options, type_)
    if options.as_json:
        found = [node._asdict() for step in book.steps() for node in graphs.nodes(step)]
        print_json({"nodes": found, "edges": [edge._asdict() for edge in graphs.edges(book)]}, output)
        return
    text = graphs.mermaid(book) if format_ == "mermaid" else svg(graphs.drawing(book), alone=True)
    deliver(f"{text}\n".encode(), output)


@runbook.command()
@click.argument("was", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="A")
@click.argument("would_be", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="B")
@shared
def diff(options: Options, was: Path, would_be: Path) -> None:
    """Say in words what would be otherwise under folder B than under A: steps, approvals, and who is paged when."""
    from starters.files.runbook_diff import differences

    found = list(differences(was, would_be))
    types: dict[tuple[str, str], list[str]] = {}
    for one in found:
        types.setdefault((one.about, one.what), []).append(one.type)
    rows = [(", ".join(named), *told) for told, named in types.items()]
    tables = [terminal.table(None, "Types", "About", "What differs", rows=rows)] if rows else ["Nothing differs."]
    terminal.answer(options, {"differences": [one._asdict() for one in found]}, lambda: tables)


@runbook.command()
@click.argument("path", type=click.Path(path_type=Path), required=False)
@shared
@click.pass_context
def lint(ctx: click.Context, options: Options, path: Path | None) -> None:
    """Check a runbook file, or a whole folder; exits 2 with file, line and key of every problem."""
    from starters.files import loading
    from starters.files.unapproved import unapproved

    target = options.folder() if path is None else path
    problems, unfinished = loading.lint(target), loading.unfinished(target)
    unreviewed, unsigned = loading.unreviewed(target, datetime.now(UTC).date()), unapproved(target)
    if options.as_json:
        rows = [{**problem._asdict(), "file": str(problem.file)} for problem in problems]
        left = {str(file): count for file, count in unfinished.items()}
        days = {str(file): None if day is None else day.isoformat() for file, day in unreviewed.items()}
        roles = {str(file): [*lacking] for file, lacking in unsigned.items()}
        told = {"problems": rows, "placeholders": left, "reviews_overdue": days, "signatures_lacking": roles}
        print_json({"path": str(target), **told})
    elif not problems:
        click.echo(f"{target}: no problems found")
    for problem in problems:
        click.echo(str(problem), err=True)
    for file, count in unfinished.items():
        click.echo(f"{file} cannot be used yet: {count} placeholders are left; lint that file to see them", err=True)
    for file, day in unreviewed.items():
        click.echo(f"{file}: its review is overdue, {f'the last was on {day}' if day else 'there was none'}", err=True)
    for file, lacking in unsigned.items():
        click.echo(f"{file}: production refuses it, it lacks the signature of {' and '.join(lacking)}", err=True)
    if problems:
        click.echo(f"{len(problems)} problems in {len({problem.file for problem in problems})} files", err=True)
        ctx.exit(InvalidFile.exit_code)


@runbook.command()
@click.argument("type_", metavar="TYPE")
@click.option("--reviewed", is_flag=True, help="First take over the review that its owner has signed off.")
@click.option("--version", metavar="V", help="The version that it becomes; by default the number at its end plus one.")
@click.option(
    "--was",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="The folder as it was approved before: say what has changed since.",
)
@click.option("--yes", is_flag=True, help="Sign without being asked.")
@sign_with_option
@shared
def approve(options: Options, type_: str, reviewed: bool, version: str | None, **given: Any) -> None:
    """Approve the runbook for TYPE: sign it, as one of the roles that organisation.yaml names for that.

    By anybody else, and with --reviewed, version and date of its file are first brought up to date, as its owner has
    signed off the review of it; the file is refused where it is not what was reviewed. Comments and lines stay. Commit
    what was written afterwards. A signature is of what the file says: it goes with any change, but of comments.
    """
    from starters.cli import runbook_approval, runbook_signing

    organisation = options.load_organisation()
    by = runbook_signing.approver(organisation, options.who)
    if version is not None and by is not None and not reviewed:
        raise click.UsageError("--version is that of a review: give --reviewed too")
    document: dict[str, Any] = {}
    if reviewed or by is None:
        document = runbook_approval.take_over(options, type_, _load(options, type_), version)
        if not options.as_json:
            click.echo(runbook_approval.said(document, organisation.runbook_approvers))
    if by is not None:
        was, yes, key = given["was"], given["yes"], given["sign_with"]
        signed = runbook_signing.sign(options, _load(options, type_), by, was, yes=yes, key=key)
        document = {**document, "signature": signed}
        if not options.as_json:
            click.echo(runbook_signing.said(signed))
    if options.as_json:
        print_json(document)


@runbook.command()
@click.argument("name", required=False)
@click.option("--proven", is_flag=True, help="When each was last seen to work in staging, a sandbox or a drill.")
@shared
def actions(options: Options, name: str | None, proven: bool) -> None:
    """List the actions that steps may name, or show NAME: its parameters, approval classes and permissions.

    With --proven, when each last did what it should where nobody is harmed, as the environment's ledger has it: a
    change applied and verified, and undone; a probe that saw; a notice that was sent. 90 days without are flagged.
    """
    from starters.cli import runbook_actions

    if proven:
        from starters.cli import proven_actions

        proven_actions.show(options, runbook_actions.known(name))
    else:
        runbook_actions.show(name, as_json=options.as_json)


@runbook.command()
@shared
def schema(options: Options) -> None:
    """Print the JSON Schema of a runbook file, for editors."""
    import json

    from starters.files.runbook_schema import runbook_schema

    click.echo(json.dumps(runbook_schema(), indent=None if options.as_json else 2, ensure_ascii=False))


def _load(options: Options, type_: str) -> "Runbook":
    """Load a runbook for display: an environment with placeholders is accepted."""
    from starters.files import loading, organisation_folder

    folder = options.folder()
    name = options.environment or next(iter(organisation_folder.list_environments(folder)), "")
    environment = organisation_folder.load_environment(folder, name, allow_placeholders=True)
    return loading.load_runbook(folder, type_, options.load_organisation(), environment)
