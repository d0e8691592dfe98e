"""Why a command from a starter was not carried out; the text is the reason, in one line."""

import click


class RefusedError(click.ClickException):
    """The rules, or the current state, forbid it."""

    exit_code = 1


class UnreachableError(click.ClickException):
    """Temporal does not answer, or no worker does."""

    exit_code = 3


class UnseenError(click.ClickException):
    """What was to be looked at could not be: nobody knows whether all is well."""

    exit_code = 2
