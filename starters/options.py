"""The options that every command shares."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from domain.config.environment import Environment
    from domain.config.organisation import Organisation

BY_AWS = Path("aws")
"""What `--sign-with` says of who signs with their session of AWS, in the place of a key's file."""


class Options(NamedTuple):
    """The shared options of one call."""

    as_json: bool = False
    environment: str | None = None
    runbooks: str | None = None
    who: str | None = None

    def by(self) -> str:
        """The caller's role or contact id. Raises `UsageError` without one."""
        if self.who is None:
            raise click.UsageError("say who you are: give --as ROLE or set INCIDENT_AS")
        return self.who

    def named_environment(self) -> str:
        """The environment's name. There is no default, since a wrong guess would act on the wrong account."""
        if self.environment is None:
            raise click.UsageError("say which environment: give --environment NAME or set INCIDENT_ENVIRONMENT")
        return self.environment

    def folder(self) -> Path:
        """The organisation's folder; by default the shipped one."""
        from starters.files.shipped import shipped_folder

        return shipped_folder() if self.runbooks is None else Path(self.runbooks)

    def load_organisation(self) -> "Organisation":
        """Read the folder's `organisation.yaml`. Raises `InvalidFile`."""
        from starters.files.organisation_folder import load_organisation

        return load_organisation(self.folder())

    def load_environment(self) -> "Environment":
        """Read the named environment. Raises `InvalidFile`; `UsageError` if none is named."""
        from starters.files.organisation_folder import load_environment

        return load_environment(self.folder(), self.named_environment())
