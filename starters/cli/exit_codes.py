"""The command's exit status.

0 done; 1 refused; 2 wrong usage or invalid input; 3 Temporal unreachable, or no worker answers.
"""

import click

from starters.errors import RefusedError, UnreachableError

DONE = 0
REFUSED = 1
WRONG = 2
UNREACHABLE = 3


def status(error: Exception) -> int | None:
    """The exit status for an error; None for an unexpected one."""
    if isinstance(error, click.ClickException):
        return WRONG
    if isinstance(error, RefusedError | click.Abort):
        return REFUSED
    if isinstance(error, UnreachableError):
        return UNREACHABLE
    from starters.files.problems import InvalidFile

    return WRONG if isinstance(error, InvalidFile) else None


def reason(error: Exception) -> str:
    """Why, in one line; for an invalid file, one line for each problem."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()
    if isinstance(error, click.UsageError):
        command = f"{error.ctx.command_path}: " if error.ctx else ""
        return command + " ".join(error.format_message().split())
    if isinstance(error, click.ClickException):
        return " ".join(error.format_message().split())
    if isinstance(error, click.Abort):
        return "Aborted"
    return str(error)
