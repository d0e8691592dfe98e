"""Holds an alert's key for the incident that is open under it.

Its workflow id is the key, so that of any number of concurrent starters exactly one gets it,
with no worker running. The memo `incident` names the incident.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.model.declaration import KeyHold


@workflow.defn(name="IncidentKey")
class IncidentKey:
    """Open from the first alert of a key until its incident is closed or a false alarm."""

    @workflow.init
    def __init__(self, hold: KeyHold) -> None:
        self._hold = hold
        self._released = False

    @workflow.run
    async def run(self, hold: KeyHold) -> str:
        """Wait for the release; returns the id of the incident that was held."""
        await workflow.wait_condition(lambda: self._released)
        return hold.incident_id

    @workflow.signal
    def release(self, by: KeyHold) -> None:
        """Give the key back; once more does nothing, and an incident that holds it no longer is not heard."""
        self._released = self._released or by.incident_id == self._hold.incident_id
