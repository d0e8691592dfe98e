"""The breach register for a spreadsheet, with cells that no spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from activities.ledger.incidents import Unreadable
from reporting.register.breach_register import RegisterEntry, Statement

UNREADABLE = "unreadable"
"""What stands as the decision of an incident that the ledger lists and that cannot be read; `reason` says why."""

_OWN = [name for name in RegisterEntry.model_fields if name != "statement"]
COLUMNS = [*_OWN, *(f"statement_{name}" for name in Statement.model_fields)]
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def text(entries: Iterable[RegisterEntry], unreadable: Iterable[Unreadable]) -> str:
    """The register as CSV (RFC 4180), times RFC 3339 in UTC; `signed_by` is `role at; role at`."""
    written = io.StringIO()
    rows = csv.DictWriter(written, COLUMNS, restval="")
    rows.writeheader()
    for one in entries:
        row = one.model_dump(mode="json")
        statement = row.pop("statement") or {}
        cells = {**row, **{f"statement_{name}": value for name, value in statement.items()}}
        rows.writerow({name: harmless(_plain(value)) for name, value in cells.items()})
    for lost in unreadable:
        rows.writerow({"incident": harmless(lost.id), "decision": UNREADABLE, "reason": harmless(lost.reason)})
    return written.getvalue()


def harmless(cell: str) -> str:
    """A cell that would be taken for a formula (OWASP, CSV injection), with an apostrophe before it."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) or cell.startswith(("\t", "\r")) else cell


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(f"{one['role']} {one['at']}" if isinstance(one, dict) else str(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
