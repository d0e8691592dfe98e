"""What the record itself says was preserved, and in whose hands it has been."""

from typing import Any, NamedTuple

from domain.model.timeline import Entry
from domain.rules.custody import KIND

_DONE = {"applied", "already-done"}
_SNAPSHOTS = (":snapshot:", ":cluster-snapshot:")
_MANIFEST = "/manifest.jsonl"


class Told(NamedTuple):
    """Evidence that the record says is there: its ARN, and the entry that says so with its hash or state."""

    arn: str
    step: str
    entry: Entry


def is_snapshot(arn: str) -> bool:
    """Tell whether an ARN is that of a snapshot, of an instance or of a cluster."""
    return any(kind in arn for kind in _SNAPSHOTS)


def preserved(entries: list[Entry]) -> list[Told]:
    """The snapshots and manifests of copies that changes of the incident ended with, in order."""
    targets: dict[str, str] = {}
    found = {}
    for entry in entries:
        workflow = str(entry.data.get("workflow_id", ""))
        target = str(entry.data.get("plan", {}).get("target", ""))
        if entry.kind == "plan" and (is_snapshot(target) or target.endswith(_MANIFEST)):
            targets[workflow] = target
        elif entry.kind == "change" and entry.data.get("status") in _DONE and workflow in targets:
            found[targets[workflow]] = Told(targets[workflow], str(entry.data.get("step", "")), entry)
    return list(found.values())


def custody(entries: list[Entry]) -> dict[str, list[dict[str, Any]]]:
    """Every custody event by the evidence that it is about, oldest first."""
    events: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        if entry.kind == KIND:
            at = entry.at.isoformat().replace("+00:00", "Z")
            told = {"entry": entry.seq, "at": at, "by": entry.actor, **entry.data}
            events.setdefault(str(entry.data.get("evidence", "")), []).append(told)
    return events
