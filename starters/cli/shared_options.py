"""The command-line options that every subcommand takes, and days as several take them."""

import functools
from collections.abc import Callable
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path
from typing import Any

import click

from starters.options import BY_AWS, Options


class _Signer(click.Path):
    """The file of a key, which has to be there, or the word for AWS."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return BY_AWS if str(value) == str(BY_AWS) else super().convert(value, param, ctx)


sign_with_option = click.option(
    "--sign-with",
    type=_Signer(path_type=Path, exists=True, dir_okay=False),
    envvar="INCIDENT_SSH_KEY",
    metavar="FILE|aws",
    help="Your own SSH key, private or public, or aws for your session there; by default what you have enrolled.",
)
_REMEDY = "write a day that has begun, such as 2026-11-01"


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


def midnight(day: str, zone: tzinfo, now: datetime) -> datetime:
    """When a day begins, in UTC. One that is none, or has not begun, is refused before anything is read."""
    try:
        local = datetime.combine(date.fromisoformat(day), time(), zone)
        start = local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise click.UsageError(f"--since {day!r} is no date; {_REMEDY}") from error
    if start > now:
        raise click.UsageError(f"--since {day} is still to come; {_REMEDY}")
    return start


def instant(text: str | None) -> datetime | None:
    """Parse an `--at` and return it in UTC. Raises `UsageError` for one without an offset or in the future."""
    at = moment(text, "--at")
    if at is not None and at > datetime.now(UTC):
        raise click.UsageError(f"--at {text} is in the future")
    return at


def moment(text: str | None, option: str) -> datetime | None:
    """Parse a time that an option gives and return it in UTC. Raises `UsageError` for one without an offset."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        written = "write one such as 2026-11-25T14:30:00+11:00"
        raise click.UsageError(f"{option} {text!r} is not a time; {written}") from error
    if at.tzinfo is None:
        raise click.UsageError(f"{option} {text!r} has no UTC offset; write one such as {text}+11:00 or {text}Z")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise click.UsageError(f"{option} {text!r} is out of range") from error
