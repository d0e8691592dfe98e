"""What the Temporal UI shows of an incident: search attributes in the list, details on its page."""

from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

with workflow.unsafe.imports_passed_through():
    from domain.rules.incident import Incident as Rules

from workflows import search_attributes
from workflows.details import details


class Showing:
    """Publishes an incident; search attributes only when they have changed, as each time is an event."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._published: tuple[str, ...] = ()

    def publish(self) -> None:
        state = self._rules.state
        waiting = self._rules.waiting_for()
        shown = (state.severity.value, state.status.value, *waiting)
        if shown != self._published:
            first, self._published = not self._published, shown
            updates: list[SearchAttributeUpdate[Any]] = [
                search_attributes.INCIDENT_SEVERITY.value_set(state.severity.value),
                search_attributes.INCIDENT_STATUS.value_set(state.status.value),
                search_attributes.WAITING_FOR.value_set(waiting),
            ]
            if first:
                updates += [
                    search_attributes.INCIDENT_TYPE.value_set(self._rules.declaration.runbook.id),
                    search_attributes.INCIDENT_MODE.value_set(self._rules.declaration.mode),
                ]
            workflow.upsert_search_attributes(updates)
        workflow.set_current_details(details(self._rules))
