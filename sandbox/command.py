"""`incident sandbox …`: start, inspect, break and stop a sandbox."""

import json
import shlex
import signal
from pathlib import Path
from types import FrameType
from typing import Any

import click

from sandbox.runtime.state import Files, State
from starters.cli.shared_options import shared
from starters.errors import RefusedError
from starters.options import Options

_data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".sandbox"),
    show_default=True,
    metavar="DIR",
    help="The sandbox's directory, which identifies it.",
)


@click.group()
def sandbox() -> None:
    """Run Temporal, an AWS stand-in, a status page and a worker on this machine, and inject faults."""


@sandbox.command()
@shared
@_data_dir
@click.option("--detach", is_flag=True, help="Return once everything is up, and leave it running.")
@click.option(
    "--port-base",
    type=click.IntRange(1024, 65530),
    metavar="N",
    help="Temporal's port; the next three are used too, and N + 5 with --encrypt.",
)
@click.option("--no-worker", is_flag=True, help="Do not start a worker; you run it yourself.")
@click.option("--encrypt", is_flag=True, help="Encrypt what Temporal carries, as everywhere else.")
def start(
    options: Options, data_dir: Path, detach: bool, port_base: int | None, no_worker: bool, encrypt: bool
) -> None:
    """Start a sandbox, or restart its dead services.

    Without --detach it stays in the foreground until Ctrl-C.
    """
    from sandbox.runtime import supervisor
    from sandbox.runtime.launch import StartError
    from sandbox.runtime.ports import PortsTakenError
    from sandbox.runtime.services import MissingCommandError

    files = Files(data_dir)
    end_on_signals()
    try:
        current, started = supervisor.start(
            files,
            options.folder(),
            options.environment or "sandbox",
            port_base=port_base,
            worker=not no_worker,
            supervised=not detach,
            encrypts=encrypt,
        )
    except (StartError, PortsTakenError, MissingCommandError) as error:
        raise RefusedError(str(error)) from error
    stays = started and not detach
    try:
        if options.as_json:
            click.echo(json.dumps({"started": started, "data_dir": str(files.data_dir), "env": current.variables()}))
        else:
            click.echo(_summary(files, current, started), err=True)
        if stays:
            _stay(files, None if options.as_json else _exports(current))
    except KeyboardInterrupt:
        click.echo("Stopping.", err=True)
    if stays:
        supervisor.stop(files)


@sandbox.command()
@shared
@_data_dir
def stop(options: Options, data_dir: Path) -> None:
    """Stop a sandbox and every process it started."""
    from sandbox.runtime import supervisor

    files = Files(data_dir)
    ended = supervisor.stop(files)
    if options.as_json:
        click.echo(json.dumps({"data_dir": str(files.data_dir), "stopped": ended}))
    else:
        click.echo(
            f"Stopped the sandbox in {files.data_dir}." if ended else f"No sandbox is running in {files.data_dir}."
        )


@sandbox.command()
@shared
@_data_dir
def env(options: Options, data_dir: Path) -> None:
    """Print the variables that point at the sandbox.

    They are lines for a shell to evaluate; with --json an object.
    """
    current = _running(Files(data_dir))
    click.echo(json.dumps(current.variables()) if options.as_json else _exports(current))


@sandbox.command(name="break")
@shared
@_data_dir
@click.argument("fault", required=False)
def break_(options: Options, data_dir: Path, fault: str | None) -> None:
    """Inject FAULT; without it, list the faults."""
    from sandbox.faults.names import FAULT_NAMES

    listed = [f"{name:30}{summary}" for name, summary in FAULT_NAMES.items()]
    if fault is None:
        faults = [{"name": name, "summary": summary} for name, summary in FAULT_NAMES.items()]
        click.echo(json.dumps(faults) if options.as_json else "\n".join(listed))
        return
    if fault not in FAULT_NAMES:
        raise RefusedError("\n".join([f"unknown fault {fault!r}; known faults:", *listed]))
    answer = inject(_running(Files(data_dir)), fault)
    click.echo(json.dumps(answer) if options.as_json else answer["done"])


@sandbox.command()
@shared
@_data_dir
def outbox(options: Options, data_dir: Path) -> None:
    """Print everything sent, oldest first.

    That is pages, e-mails and status page posts.
    """
    from sandbox.runtime.outbox import Outbox

    files = Files(data_dir)
    if not files.data_dir.is_dir():
        raise RefusedError(f"there is no sandbox in {files.data_dir}")
    entries = Outbox(files.outbox).entries()
    if options.as_json:
        click.echo(json.dumps(entries))
    else:
        _print_table(entries)


def _running(files: Files) -> State:
    from sandbox.runtime import state, supervisor

    current = state.read(files)
    dead = supervisor.dead_services(files, current) if current else []
    if current is None or len(dead) == len(current.pids):
        raise RefusedError(f"no sandbox is running in {files.data_dir}: start one with `incident sandbox start`")
    for name in dead:
        click.echo(f"the sandbox's {name} is dead; `incident sandbox start` restarts it", err=True)
    return current


def inject(current: State, fault: str) -> dict[str, Any]:
    """Inject a fault into a running sandbox; raises `RefusedError` where that cannot be."""
    import requests

    with requests.Session() as session:
        session.trust_env = False  # a proxy cannot reach loopback
        try:
            answer = session.post(f"{current.page_url}/sandbox/faults/{fault}", timeout=60)
        except requests.RequestException as error:
            raise RefusedError(f"the sandbox at {current.page_url} does not answer") from error
    found: dict[str, Any] = answer.json() if answer.headers.get("Content-Type") == "application/json" else {}
    if not answer.ok:
        raise RefusedError(f"{fault} could not be injected: {found.get('error', f'HTTP {answer.status_code}')}")
    return found


def end_on_signals() -> None:
    """Make SIGTERM and a closed terminal end this command as Ctrl-C does, so that what it started is stopped.

    SIGINT is set too: a shell starts background jobs with SIGINT ignored.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def _stay(files: Files, exports: str | None) -> None:
    from sandbox.runtime import supervisor

    if exports:
        click.echo(exports)
    click.echo("Ctrl-C stops the sandbox.", err=True)
    for name in supervisor.watch(files):
        click.echo(f"{name} died; its log is {files.log(name)}", err=True)


def _summary(files: Files, current: State, started: bool) -> str:
    done = "Started the sandbox" if started else "A sandbox is already running"
    reach = f'eval "$(incident sandbox env --data-dir {shlex.quote(str(files.data_dir))})"'
    return f"{done} in {files.data_dir}; Temporal's UI: {current.ui_url}\nTo reach it: {reach}"


def _exports(current: State) -> str:
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in current.variables().items())


def _print_table(entries: list[dict[str, Any]]) -> None:
    from starters.cli import terminal

    def row(entry: dict[str, Any]) -> list[str]:
        to, what = ([entry[one] or "" for one in two] for two in (("to", "role"), ("subject", "body")))
        return [entry["at"], entry["channel"], "\n".join(to), "\n".join(what), entry["incident"] or ""]

    columns = ("At", "Channel", "To", "What", "Incident")
    terminal.show(
        terminal.table("Sent", *columns, rows=map(row, entries), lines=True) if entries else "Nothing sent yet"
    )
