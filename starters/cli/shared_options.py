"""The command-line options that every subcommand takes."""

import functools
from collections.abc import Callable
from typing import Any

import click

from starters.options import Options


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """Add the shared options to a command, which receives them as its first argument."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, and nothing else.")
    @click.option("--environment", envvar="INCIDENT_ENVIRONMENT", metavar="NAME", help="The environment to use.")
    @click.option("--runbooks", envvar="INCIDENT_RUNBOOKS", metavar="DIR", help="The organisation's folder.")
    @click.option("--as", "who", envvar="INCIDENT_AS", metavar="WHO", help="Your role or contact id.")
    @functools.wraps(command)
    def wrapped(as_json: bool, environment: str | None, runbooks: str | None, who: str | None, **rest: Any) -> None:
        command(Options(as_json, environment, runbooks, who), **rest)

    return wrapped
