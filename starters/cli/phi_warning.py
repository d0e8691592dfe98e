"""A warning on stderr where what somebody is about to write looks as if it named somebody whose data is at stake."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from domain.config.organisation import Organisation
    from starters.options import Options

_ANY_SIGN = re.compile(r"[\d@]")
"""What every number, date and mail address has: most notes have none, and cost no look at the organisation's file."""


def warn(options: "Options", texts: Iterable[object]) -> None:
    """Warn of what looks like personal information; nothing is refused, and the warning does not repeat it.

    Of `texts` whatever is no text is passed over, and all of them where the organisation's file cannot be read.
    """
    text = "\n".join(one for one in texts if isinstance(one, str))
    if not _ANY_SIGN.search(text) or (organisation := _organisation(options)) is None:
        return
    from domain.values.phi_hints import signs

    if found := signs(text, organisation.personal_numbers, _own(organisation)):
        click.echo(
            f"Warning: this looks as if it held {' and '.join(found)}; what is written stays on record and is read "
            "by many: keep the people concerned out of it",
            err=True,
        )


def _organisation(options: "Options") -> "Organisation | None":
    from starters.files.organisation_folder import load_organisation
    from starters.files.problems import InvalidFile

    try:
        return load_organisation(options.folder())
    except (InvalidFile, click.UsageError):
        return None


def _own(organisation: "Organisation") -> list[str]:
    """Where the organisation's own people are reached."""
    own = [channel.address for contact in organisation.contacts for channel in contact.channels]
    return [*own, *(external.contact for external in organisation.externals)]
