"""A warning on stderr where what somebody is about to write looks as if it named a patient."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from domain.values.phi_hints import signs

if TYPE_CHECKING:
    from starters.options import Options


def warn(options: "Options", texts: Iterable[object]) -> None:
    """Warn of what looks like personal information; nothing is refused, and the warning does not repeat it.

    Of `texts` whatever is no text is passed over.
    """
    text = "\n".join(one for one in texts if isinstance(one, str))
    if signs(text) and (found := signs(text, _own(options))):
        click.echo(
            f"Warning: this looks as if it held {' and '.join(found)}; what is written stays on record and is read "
            "by many: keep patients out of it",
            err=True,
        )


def _own(options: "Options") -> list[str]:
    """Where the organisation's own people are reached; nothing where its file cannot be read."""
    from starters.files.organisation_folder import load_organisation
    from starters.files.problems import InvalidFile

    try:
        organisation = load_organisation(options.folder())
    except (InvalidFile, click.UsageError):
        return []
    own = [channel.address for contact in organisation.contacts for channel in contact.channels]
    return [*own, *(external.contact for external in organisation.externals)]
