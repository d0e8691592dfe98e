"""What a Lambda function of the environment counts in a restored database: numbers and instants, never a row.

It is asked with `{"database": "primary", "host": "…", "port": 5432}`, reads by credentials of its own, and answers
`{"counted_at": "…", "tables": {"studies": {"rows": 48210, "newest": "…"}}}`: instants with their zone, `newest` the
latest row's, which a table without one leaves out.
"""

import json
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from activities.action import Clients
from domain.config.recovery import Recovery

_LONGEST = 1_000_000
"""Bytes of an answer that are read; more than counts need."""
_UNREAD = "its rows were not read"


class Unread(Exception):  # noqa: N818 - it is an answer to what was asked, and no failure of asking
    """The function gave no counts; the text says why, in words of ours."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class Table(_Answer):
    """One table: how many rows, and when the newest was written."""

    rows: int = Field(ge=0)
    newest: AwareDatetime | None = None


class Counted(_Answer):
    """Every table that the function knows."""

    counted_at: AwareDatetime
    tables: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]{1,128}$")], Table] = Field(min_length=1)

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())

    @property
    def empty(self) -> list[str]:
        return sorted(name for name, table in self.tables.items() if not table.rows)

    @property
    def newest(self) -> datetime | None:
        return max((table.newest for table in self.tables.values() if table.newest), default=None)

    def lost(self, at: datetime, taken: datetime) -> timedelta:
        """How much would be lost with the source at `at`: what is newer than every row, or than the snapshot."""
        return max(at - (self.newest or taken), timedelta(0))


def may_count(clients: Clients, recovery: Recovery) -> None:
    """Ask Lambda whether it would run the function for us, without running it; what refuses is let through."""
    clients.client("lambda").invoke(FunctionName=recovery.count_function, InvocationType="DryRun")


def counted(clients: Clients, recovery: Recovery, asked: dict[str, Any]) -> Counted:
    """Have the function count (`lambda:InvokeFunction`); a repeat counts again. Raises `Unread`."""
    answer = clients.once("lambda").invoke(
        FunctionName=recovery.count_function, Payload=json.dumps(asked).encode("utf-8")
    )
    if "FunctionError" in answer:  # its text may hold anything
        raise Unread(f"{_UNREAD}: {recovery.count_function} ended in an error, which its log has")
    try:
        return Counted.model_validate_json(answer["Payload"].read(_LONGEST))
    except ValidationError as error:
        where = ", ".join(".".join(map(str, one["loc"])) or "the answer" for one in error.errors()[:3])
        raise Unread(f"{_UNREAD}: {recovery.count_function} answered otherwise than agreed ({where})") from None
