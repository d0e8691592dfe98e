"""An incident twice in one form: as its timeline tells it, and as it says of itself."""

from typing import Any

from domain.model.state import LEDGER_CLOCK
from domain.rules.account import Account
from domain.rules.document import document
from domain.rules.incident import Incident

_PLAIN = ("id", "type", "title", "description", "severity", "status", "mode", "environment", "declared_at")
_MOMENTS = ("acknowledged_at", "mitigated_at", "resolved_at", "closed_at", "aware_at")
_MORE = ("commander", "phi", "alerts", "reopened", "runbook", "pages", "opened_by")
_CHANGE = ("step", "generation", "workflow_id", "action", "status", "class", "requested_by", "plan", "approvals")
_OUTCOME = ("ours", "undo_of", "reason")
_FINDING = ("step", "action", "at", "status", "summary", "facts", "evidence")
_TASK = ("step", "title", "owner", "phase", "required", "due_at", "status", "by", "at", "note")
_NOTICE = ("step", "action", "due_at", "status", "reference", "reason")


def told(account: Account) -> dict[str, Any]:
    """What the fold says, cut to what both know."""
    content = account.model_dump(mode="json", by_alias=True)
    clocks = {c.name: [c.model_dump(mode="json")["due_at"], c.state] for c in account.clocks()}
    return _cut(content, clocks)


def said(incident: Incident) -> dict[str, Any]:
    """What `incident show --json` says, cut to the same."""
    content = document(incident)
    clocks = {c["name"]: [c["due_at"], c["state"]] for c in content["clocks"] if c["name"] != LEDGER_CLOCK}
    content["links"] = [link for link in content["links"] if link["incident"] is not None]
    return _cut(content, clocks)


def _cut(content: dict[str, Any], clocks: dict[str, Any]) -> dict[str, Any]:
    def of(kind: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
        return [{name: row[name] for name in names} for row in content[kind]]

    notices = [
        {**row, "status": "waiting" if row["status"] == "sending" else row["status"]} for row in of("notices", _NOTICE)
    ]
    return {
        **{name: content[name] for name in (*_PLAIN, *_MOMENTS, *_MORE, "links")},
        "clocks": clocks,
        "findings": of("findings", _FINDING),
        "changes": of("changes", (*_CHANGE, *_OUTCOME)),
        "tasks": of("tasks", _TASK),
        "notices": notices,
    }
