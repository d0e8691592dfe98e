"""What only reads: by the beginnings of AWS's names, which both operations and IAM's actions have."""

from typing import Any

from activities.action import RuleError

_READS = (
    *("AdminGet", "AdminList", "BatchGet", "Check", "Decrypt", "Describe", "Download", "Filter", "Get", "Head", "List"),
    *("Lookup", "Query", "Scan", "Simulate", "StartQuery", "StopQuery"),
)
"""A name that begins otherwise counts as a write, `Invoke` among them: what a function does nobody knows."""


def reads(name: str) -> str | None:
    """With what the name of an operation, or of an IAM action without its service, begins if it reads; else None."""
    return next((one for one in _READS if name.startswith(one)), None)


def refuse_write(model: Any, **_: Any) -> None:
    """Raise `RuleError` for an operation that does not only read: for botocore's event `provide-client-params`."""
    if reads(model.name) is None:
        service = model.service_model.service_name
        raise RuleError(f"{service}:{model.name} writes, and a dry run only reads: nothing was sent")
