"""A warning on stderr if a text to be recorded looks as if it identifies a patient."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from domain.values.phi_hints import signs

if TYPE_CHECKING:
    from starters.options import Options


def warn(options: "Options", texts: Iterable[object]) -> None:
    """Warn of what looks like personal information; nothing is refused, and the warning does not repeat it.

    Values in `texts` that are not strings are ignored.
    """
    text = "\n".join(one for one in texts if isinstance(one, str))
    # first without the organisation: its file is read only for a text that looks suspicious
    if signs(text) and (found := signs(text, _own(options))):
        click.echo(
            f"Warning: this seems to contain {' and '.join(found)}; it stays on record and many people read it: "
            "do not name patients",
            err=True,
        )


def _own(options: "Options") -> list[str]:
    """The addresses of the organisation's own people; none if its file cannot be read."""
    from starters.files.organisation_folder import load_organisation
    from starters.files.problems import InvalidFile

    try:
        organisation = load_organisation(options.folder())
    except (InvalidFile, click.UsageError):
        return []
    own = [channel.address for contact in organisation.contacts for channel in contact.channels]
    return [*own, *(external.contact for external in organisation.externals)]
