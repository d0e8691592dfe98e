"""Why a command from a starter was not carried out; the text is the reason, in one line."""


class RefusedError(Exception):
    """The rules, or the current state, forbid it."""


class UnreachableError(Exception):
    """Temporal does not answer, or no worker does."""
