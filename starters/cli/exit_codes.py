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
    from starters.files.problems import InvalidFile

    if isinstance(error, RefusedError | click.Abort):
        return REFUSED
    if isinstance(error, UnreachableError):
        return UNREACHABLE
    return WRONG if isinstance(error, click.ClickException | InvalidFile) else None


def reason(error: Exception) -> str:
    """Why, in one line; for an invalid file, one line for each problem."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()
    if isinstance(error, click.ClickException):
        command = f"{error.ctx.command_path}: " if isinstance(error, click.UsageError) and error.ctx else ""
        return command + " ".join(error.format_message().split())
    if isinstance(error, click.Abort):
        return "Aborted"
    return str(error)
