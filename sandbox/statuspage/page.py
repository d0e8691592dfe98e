"""The page: its incidents with their updates, and the status of its components."""

from collections.abc import Iterable
from datetime import UTC, datetime
from secrets import token_hex
from threading import Lock
from typing import Any

_STATUSES = ("investigating", "identified", "monitoring", "resolved")
_IMPACTS = ("none", "maintenance", "minor", "major", "critical")
_COMPONENT_STATUSES = ("operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage")
_NAME_MAX = 255
_BODY_MAX = 25_000

Document = dict[str, Any]


class InvalidPostError(Exception):
    """The post is invalid; the text says why, in the words of the API's 422."""


class Page:
    """A page with components. Thread-safe."""

    def __init__(self, page_id: str, components: Iterable[tuple[str, str]]) -> None:
        self.id = page_id
        self.incidents: dict[str, Document] = {}
        self.components: dict[str, Document] = {
            component_id: {"id": component_id, "page_id": page_id, "name": name, "status": "operational"}
            for name, component_id in components
        }
        self._lock = Lock()

    def found(self, text: str) -> list[Document]:
        """The incidents whose name, status or updates contain `text`, newest first; all for an empty text."""
        newest_first = list(reversed(self.incidents.values()))
        return [one for one in newest_first if text.lower() in _searched(one)]

    def unresolved(self) -> list[Document]:
        """The unresolved incidents, newest first."""
        return [one for one in self.found("") if one["status"] != "resolved"]

    def create(self, post: Document) -> Document:
        """Create an incident; a repeat creates another one."""
        if not post.get("name"):
            raise InvalidPostError("Name can't be blank")
        self._check(post)
        now = _now()
        incident: Document = {
            "id": token_hex(6),
            "page_id": self.id,
            "name": post["name"],
            "status": post.get("status", "investigating"),
            "created_at": now,
            "updated_at": now,
            "started_at": now,
            "monitoring_at": None,
            "resolved_at": None,
            "impact": post.get("impact_override") or "none",
            "impact_override": post.get("impact_override"),
            "shortlink": None,
            "metadata": {},
            "components": [],
            "incident_updates": [],
        }
        with self._lock:
            self.incidents[incident["id"]] = incident
            self._apply(incident, post, now)
        return incident

    def update(self, incident: Document, post: Document) -> Document:
        """Change an incident; a body or a new status adds an update."""
        self._check(post)
        with self._lock:
            now = _now()
            incident["updated_at"] = now
            self._apply(incident, post, now)
        return incident

    def set_component(self, component_id: str, status: Any) -> Document:
        """Set a component's status."""
        _one_of("Component status", status, _COMPONENT_STATUSES)
        with self._lock:
            component = self.components[component_id]
            component["status"] = status
        return component

    def _check(self, post: Document) -> None:
        if len(post.get("name", "")) > _NAME_MAX:
            raise InvalidPostError(f"Name is too long (maximum is {_NAME_MAX} characters)")
        if len(post.get("body") or "") > _BODY_MAX:
            raise InvalidPostError(f"Body is too long (maximum is {_BODY_MAX} characters)")
        _one_of("Status", post.get("status", _STATUSES[0]), _STATUSES)
        _one_of("Impact override", post.get("impact_override") or _IMPACTS[0], _IMPACTS)
        metadata = post.get("metadata", {})
        if not isinstance(metadata, dict) or not all(isinstance(one, dict) for one in metadata.values()):
            raise InvalidPostError("Metadata must be an object whose values are objects")
        states = post.get("components") or {}
        for component_id in {*states, *(post.get("component_ids") or ())}:
            if component_id not in self.components:
                raise InvalidPostError(f"Component {component_id} does not belong to this page")
            _one_of("Component status", states.get(component_id, _COMPONENT_STATUSES[0]), _COMPONENT_STATUSES)

    def _apply(self, incident: Document, post: Document, now: str) -> None:
        before = incident["status"]
        incident.update({name: post[name] for name in ("name", "status", "metadata") if name in post})
        if "impact_override" in post:
            incident["impact"] = incident["impact_override"] = post["impact_override"]
        if incident["status"] in {"monitoring", "resolved"}:
            incident[f"{incident['status']}_at"] = incident[f"{incident['status']}_at"] or now
        states = post.get("components") or {}
        for component_id, status in states.items():
            self.components[component_id]["status"] = status
        named = dict.fromkeys([*(one["id"] for one in incident["components"]), *(post.get("component_ids") or states)])
        incident["components"] = [self.components[component_id] for component_id in named]
        if post.get("body") or incident["status"] != before or not incident["incident_updates"]:
            incident["incident_updates"].insert(0, self._new_update(incident, post, now))

    def _new_update(self, incident: Document, post: Document, now: str) -> Document:
        return {
            "id": token_hex(6),
            "incident_id": incident["id"],
            "status": incident["status"],
            "body": post.get("body") or "",
            "created_at": now,
            "updated_at": now,
            "display_at": now,
            "deliver_notifications": post.get("deliver_notifications", True),
            "affected_components": [{"code": one["id"], "name": one["name"]} for one in incident["components"]],
        }


def _one_of(what: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InvalidPostError(f"{what} must be one of {', '.join(allowed)}")


def _searched(incident: Document) -> str:
    bodies = [update["body"] for update in incident["incident_updates"]]
    return "\n".join([incident["name"], incident["status"], *bodies]).lower()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
