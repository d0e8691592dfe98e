"""`incident worker`: what a service manager or a container runs."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click
import structlog
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.values.ids import QUEUES
from worker.errors import SettingsError, StartError
from worker.logs import configure_logs
from worker.run import serve
from worker.settings import Settings
from workflows import tracing

_log = structlog.get_logger(__name__)


@click.command()
@click.option(
    "--queues", "given", multiple=True, metavar="Q", help=f"Queues to serve, of {', '.join(QUEUES)}; all by default."
)
@click.option("--build-id", "build", metavar="BUILD", help="The release that this worker runs.")
@click.argument("more", nargs=-1, metavar="")
@click.option("--json", "as_json", is_flag=True, help="When ready, print one JSON document on stdout; log in JSON.")
@click.option("--environment", metavar="NAME", help="The environment that this worker serves.")
@click.option("--runbooks", metavar="DIR", help="The organisation's folder, by which this worker acts.")
@click.option("--as", "who", hidden=True, help="Taken as everywhere; a worker acts for whoever asked.")
def worker(
    given: tuple[str, ...],
    build: str | None,
    more: tuple[str, ...],
    environment: str | None,
    runbooks: str | None,
    as_json: bool,
    **_taken: str | None,
) -> NoReturn:
    """Run the workflows and actions of incidents until told to stop (SIGTERM, Ctrl-C)."""
    if more and not given:
        raise click.UsageError(f"unexpected argument {more[0]!r}: queues follow --queues")
    queues = [queue for names in (*given, *more) for queue in names.split(",") if queue]
    leave(run(queues, as_json=as_json, environment=environment, runbooks=runbooks, build_id=build))


def run(queues: Sequence[str], *, as_json: bool = False, **given: str | None) -> int:
    """Serve the queues, or those of the settings when none are given, and return the exit status.

    0 stopped as told, 1 died, 2 settings that cannot be served, 3 Temporal unreachable.
    """
    configure_logs("info", as_json=as_json or None)
    try:
        settings = read_settings(queues, **given)
        configure_logs(settings.log_level, as_json=as_json or None)
        interceptors = tracing.interceptors("incident-worker")
        if interceptors:
            BotocoreInstrumentor().instrument()  # type: ignore[no-untyped-call]
        asyncio.run(serve(settings, interceptors, on_ready=_tell if as_json else None))
    except StartError as error:
        click.echo(f"incident worker: {error}", err=True)
        return error.exit_code
    except Exception:  # noqa: BLE001 - the last frame there is: logged, and told by the exit status
        _log.exception("worker died")
        return 1
    finally:
        tracing.flush()
    return 0


def read_settings(queues: Sequence[str], **others: str | None) -> Settings:
    """Read the settings; what is given wins over the environment. Raises `SettingsError` that names each bad field."""
    given = {"queues": tuple(queues), **others}
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        raise SettingsError("; ".join(_problem(one) for one in error.errors(include_url=False))) from error


def _problem(found: ErrorDetails) -> str:
    """Name the environment variable of a field, as the person who sets it knows it."""
    field = str(found["loc"][0])
    variable = f"INCIDENT_{field.upper()}" if field in Settings.model_fields else field
    return f"{variable}: {found['msg'].removeprefix('Value error, ')}"


def _tell(served: list[str]) -> None:
    click.echo(json.dumps({"ready": True, "queues": served}))


def leave(code: int) -> NoReturn:
    """Exit without the interpreter's own exit, at which a process that used the SDK may crash (sdk-python 300)."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
