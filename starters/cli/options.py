"""The options that every subcommand takes."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from pathlib import Path


class Options(NamedTuple):
    """How one call of the command is to behave."""

    as_json: bool = False
    environment: str | None = None
    runbooks: str | None = None
    who: str | None = None

    def by(self) -> str:
        """Who acts; without `--as` nobody does, and that is wrong usage."""
        if self.who is None:
            raise click.UsageError("say who you are: give --as ROLE or set INCIDENT_AS")
        return self.who

    def named_environment(self) -> str:
        """The environment's name; there is no default, since a wrong guess would act on the wrong account."""
        if self.environment is None:
            raise click.UsageError("say where: give --environment NAME or set INCIDENT_ENVIRONMENT")
        return self.environment

    def folder(self) -> "Path":
        """The organisation's folder; the shipped one unless told otherwise."""
        from pathlib import Path

        from starters.files.organisation_folder import shipped_folder

        return shipped_folder() if self.runbooks is None else Path(self.runbooks)


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared options; it receives them as its first argument."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document, and nothing else, on stdout.")
    @click.option("--environment", envvar="INCIDENT_ENVIRONMENT", metavar="NAME", help="The environment to act in.")
    @click.option("--runbooks", envvar="INCIDENT_RUNBOOKS", metavar="DIR", help="The organisation's folder.")
    @click.option("--as", "who", envvar="INCIDENT_AS", metavar="WHO", help="Your role or contact id.")
    @functools.wraps(command)
    def wrapped(as_json: bool, environment: str | None, runbooks: str | None, who: str | None, **rest: Any) -> None:
        command(Options(as_json, environment, runbooks, who), **rest)

    return wrapped
