"""What workflows have in their memos. Anybody can start one of any type and id, so anything may stand there."""

from typing import Any

import click
from temporalio.client import WorkflowExecution, WorkflowExecutionDescription

from domain.values.local_time import UNKNOWN
from starters.errors import RefusedError

_ILLEGIBLE = (KeyError, RuntimeError, TypeError, ValueError)
"""What the SDK raises for a payload that no converter reads."""


async def noted(found: WorkflowExecutionDescription, name: str) -> Any:
    """One note; None where there is none, or none that can be read.

    Raises `RefusedError` where it is encrypted and cannot be decrypted: it may be an honest one.
    """
    try:
        return await found.memo_value(name, None)
    except _ILLEGIBLE:
        return None


class Notes:
    """Reads the notes of many, and keeps count of those that cannot be read."""

    def __init__(self) -> None:
        self._unread: dict[str, str] = {}

    async def of(self, found: WorkflowExecution, name: str, default: Any = None) -> Any:
        """One note; `unknown` where it cannot be read."""
        try:
            return await found.memo_value(name, default)
        except (RefusedError, *_ILLEGIBLE) as error:
            why = str(error) if isinstance(error, RefusedError) else "it is nothing that can be read"
            self._unread.setdefault(found.id, why)
            return UNKNOWN

    def warn(self) -> None:
        """Say on stderr of how many something could not be read, and why not of the first."""
        if self._unread:
            name, why = next(iter(self._unread.items()))
            click.echo(f"Warning: something of {len(self._unread)} is unknown; of {name}: {why}", err=True)
