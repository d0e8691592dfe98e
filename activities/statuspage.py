"""Telling the public, on Statuspage: one public incident for each of ours, every update at most once.

The texts say that something is being done, never why: no cause, no address, nothing about anybody's data.
"""

import threading
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, count
from typing import Any, ClassVar, Literal

from activities.action import ComponentName, NoticeAction, Params, RuleError, needed
from domain.config.environment import StatusPage
from domain.model.activity_io import Noticed
from domain.model.calls import Scope

Impact = Literal["none", "minor", "major", "critical"]
OURS = "incident_orchestrator"
"""The key of `metadata` under which we know our own public incidents again."""
_PAGE_SIZE = 100
_TELLING = threading.Lock()  # an attempt that outlived its timeout and its successor must not both find nothing

_NAMES: dict[Impact, str] = {
    "none": "Service notice",
    "minor": "Degraded service",
    "major": "Partial service outage",
    "critical": "Service outage",
}
_COMPONENT_STATES: dict[str, str] = {
    "none": "operational",
    "minor": "degraded_performance",
    "major": "partial_outage",
    "critical": "major_outage",
}


_GRAVITY = ("operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage")


class PostParams(Params):
    """`components` are logical names of `environment.status_page.components`."""

    components: tuple[ComponentName, ...] = ()
    impact: Impact = "critical"


class _Post(NoticeAction[PostParams]):
    """Brings the public incident to one status."""

    needs = ("status_page",)
    audience = "the status page"
    status: ClassVar[str]
    text: ClassVar[str]
    opens: ClassVar[bool] = True
    states: ClassVar[dict[str, str] | None] = _COMPONENT_STATES
    """What becomes of the components, by the impact; None leaves them as they are."""

    def send(self, scope: Scope, params: PostParams, sequence: int) -> Noticed:
        """Create our public incident, or update it, once for each `sequence`.

        Statuspage has no idempotency key: ours carries the incident's id and the sequence last told in its
        `metadata`, under `OURS`, and is looked up before anything is written. An update already told, or overtaken by
        a later one, is not told again. Notifies subscribers; cannot be recalled. A component that another open
        public incident is about as well, ours or not, is shown by the worst of them.
        Statuspage: GET, POST and PATCH `/pages/{page}/incidents`.
        """
        page = needed(scope.environment.status_page, scope.environment, "status_page")
        api, incidents = self.status_page, f"pages/{page.page_id}/incidents"
        components = _component_ids(page, params.components)
        with _TELLING:
            unresolved = api.request("GET", f"{incidents}/unresolved")
            known = chain(unresolved, self._all(scope, incidents))
            ours = next((one for one in known if _mark(one).get("incident_id") == scope.incident), None)
            if ours is None and not self.opens:
                return Noticed(reference="none", text="Nothing was published, so there is nothing to resolve.")
            others = [one for one in unresolved if ours is None or one["id"] != ours["id"]]
            attached = [component["id"] for component in (ours or {}).get("components") or ()]
            update = self._update(scope, params, list(dict.fromkeys([*components, *attached])), sequence, others)
            if ours is None:
                ours = api.request("POST", incidents, {"incident": {"name": _NAMES[params.impact], **update}})
            elif int(_mark(ours).get("seq", -1)) < sequence:
                api.request("PATCH", f"{incidents}/{ours['id']}", {"incident": update})
        return Noticed(reference=f"{incidents}/{ours['id']}", text=self.text)

    def words(self, scope: Scope, params: PostParams) -> str:  # noqa: ARG002 - the same text for all
        return self.text

    def _update(
        self,
        scope: Scope,
        params: PostParams,
        components: list[str],
        sequence: int,
        others: list[dict[str, Any]],
    ) -> dict[str, Any]:
        update: dict[str, Any] = {
            "status": self.status,
            "impact_override": params.impact,
            "body": self.text,
            "deliver_notifications": True,
            "metadata": {OURS: {"incident_id": scope.incident, "seq": sequence}},
        }
        if components and self.states:
            update["component_ids"] = components
            wanted = self.states[params.impact]
            update["components"] = {one: max([wanted, *_states(one, others)], key=_GRAVITY.index) for one in components}
        return update

    def _all(self, scope: Scope, incidents: str) -> Iterator[dict[str, Any]]:
        """Every public incident, newest first, back to when ours was declared."""
        for number in count(1):
            found = self.status_page.request("GET", f"{incidents}?limit={_PAGE_SIZE}&page={number}")
            yield from found
            if len(found) < _PAGE_SIZE or datetime.fromisoformat(found[-1]["created_at"]) < scope.declared_at:
                return


class Investigating(_Post):
    name = "statuspage.investigating"
    status = "investigating"
    text = "We are investigating a problem with our service. We will post updates here."


class Identified(_Post):
    name = "statuspage.identified"
    status = "identified"
    text = "The problem has been identified and we are working on it. We will post updates here."


class Monitoring(_Post):
    """The components keep the state that the last update gave them until the incident is resolved."""

    name = "statuspage.monitoring"
    status = "monitoring"
    text = "Service is being restored. We are watching it closely before we call the problem resolved."
    states = None


class Resolved(_Post):
    """Sets every component of the incident operational again; opens nothing."""

    name = "statuspage.resolved"
    status = "resolved"
    text = "The problem is resolved and the service works as usual. We are sorry for the interruption."
    opens = False
    states = dict.fromkeys(_COMPONENT_STATES, "operational")


def _component_ids(page: StatusPage, names: tuple[str, ...]) -> list[str]:
    if unknown := [name for name in names if name not in page.components]:
        known = ", ".join(sorted(page.components)) or "none"
        raise RuleError(f"the status page has no component {', '.join(unknown)}; the environment names: {known}")
    return [page.components[name] for name in names]


def _states(component: str, incidents: list[dict[str, Any]]) -> Iterator[str]:
    """What open incidents make of a component, by their impact; one without, as a maintenance, least of all."""
    for one in incidents:
        if component in {about["id"] for about in one.get("components") or ()}:
            yield _COMPONENT_STATES.get(str(one.get("impact_override") or one.get("impact")), "under_maintenance")


def _mark(known: dict[str, Any]) -> dict[str, Any]:
    mark = (known.get("metadata") or {}).get(OURS)
    return mark if isinstance(mark, dict) else {}
