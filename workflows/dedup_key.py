"""Holds an alert's key for the incident that is open under it.

Its workflow id is the key, so that of any number of concurrent starters exactly one gets it,
with no worker running. The memo `incident` names the incident.
"""

from typing import Any, ClassVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.model.declaration import KeyHold, KeyRelease

from workflows.message_handlers import Hears
from workflows.uncancelled import uncancelled, wait_condition

_LONG = 2000


@workflow.defn(name="IncidentKey")
class IncidentKey(Hears):
    """Open from the first alert of a key until its incident is closed or a false alarm.

    It keeps no record: what it refuses is counted.
    """

    messages: ClassVar = {"release": KeyRelease}

    @workflow.init
    def __init__(self, hold: KeyHold) -> None:
        super().__init__()
        self._hold = hold
        self.refused = hold.refused
        self._released = False

    @workflow.run
    @uncancelled
    async def run(self, hold: KeyHold) -> str:
        """Wait for the release; returns the id of the incident that was held."""
        await wait_condition(lambda: self._released or self.is_full(_LONG))
        await wait_condition(workflow.all_handlers_finished)
        if not self._released:
            workflow.continue_as_new(hold.model_copy(update={"refused": self.refused}))
        return hold.incident_id

    def may_say(self, name: str, sender: str) -> bool:  # noqa: ARG002 - it is the only one
        """The incident that it stands for gives it back, or whoever began it and found the incident's id taken."""
        parent = workflow.info().parent
        return sender == self._hold.incident_id or (parent is not None and sender == parent.workflow_id)

    def learn(self, name: str, message: KeyRelease) -> str | None:  # noqa: ARG002 - it is the only one
        """Give the key back; once more does nothing, and an incident that holds it no longer is not heard."""
        held = message.released == self._hold.incident_id
        self._released = self._released or held
        return None if held else "the key stands for another incident"

    @workflow.query
    def state(self) -> dict[str, Any]:
        """The incident that the key stands for, and how much was refused."""
        return {"incident": self._hold.incident_id, "refused": self.refused}
