"""Why a worker cannot start, each with the exit status that tells a script."""


class StartError(Exception):
    """The worker cannot start; the text is one line that says why and what to change."""

    exit_code = 1


class SettingsError(StartError):
    """The settings cannot be served; the text names the one to change."""

    exit_code = 2


class UnreachableError(StartError):
    """Temporal does not answer; the text says where it was looked for."""

    exit_code = 3
