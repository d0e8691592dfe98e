"""Why a command, a console or an intake is not obeyed; the text is the reason in one line."""


class RefusedError(Exception):
    """The rules, or the state of things, forbid it."""


class UnreachableError(Exception):
    """Temporal does not answer, or no worker does."""
