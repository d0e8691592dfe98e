"""A warning on stderr if a text to be recorded looks as if it identifies somebody whose data is at stake."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from starters.files.problems import InvalidFile

_ANY_SIGN = re.compile(r"[\d@]")
"""What every number, date and e-mail address has; most notes have none, and need no look at the organisation's file."""


def warn(texts: Iterable[object], organisation: Callable[[], Mapping[str, Any]]) -> None:
    """Warn of what looks like personal information; nothing is refused, and the warning does not repeat it.

    Values in `texts` that are not strings are ignored; so are all of them if the organisation's file cannot be read.
    """
    text = "\n".join(one for one in texts if isinstance(one, str))
    if not _ANY_SIGN.search(text):
        return
    try:
        told = organisation()
    except (InvalidFile, click.UsageError):
        return
    from domain.values.phi_hints import signs

    own = [channel["address"] for contact in told["contacts"] for channel in contact["channels"]]
    own += [external["contact"] for external in told["externals"]]
    if found := signs(text, told["personal_numbers"], own):
        click.echo(
            f"Warning: this seems to contain {' and '.join(found)}; it stays on record and many people read it: "
            "do not name the people concerned",
            err=True,
        )
