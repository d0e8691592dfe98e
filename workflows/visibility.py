"""What the Temporal UI shows of an incident: search attributes in the list, details as markdown on its page."""

from html import escape
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

with workflow.unsafe.imports_passed_through():
    from domain.model.records import ChangeRecord
    from domain.model.state import IncidentState
    from domain.rules import clock
    from domain.rules.document import waiting_for
    from domain.rules.live import LiveIncident
    from domain.rules.next_steps import next_steps
    from domain.values.timestamps import stamp

from workflows import search_attributes


class Visibility:
    """Publishes an incident; search attributes only when they have changed, as each time is an event."""

    def __init__(self, incident: LiveIncident) -> None:
        self._state = incident.state
        self._timeline = incident.timeline
        self._published: tuple[str, ...] = ()
        self._told = 0

    def publish(self, *, busy: bool) -> None:
        """Show the incident as it stands. While it is `busy`, that somebody is waited for no longer can wait."""
        state, waiting = self._state, waiting_for(self._state)
        shown = (state.severity.value, state.status.value, *waiting)
        fewer = shown[:2] == self._published[:2] and set(shown) < set(self._published)
        if shown != self._published and not (busy and fewer):
            first, self._published = not self._published, shown
            updates: list[SearchAttributeUpdate[Any]] = [
                search_attributes.INCIDENT_SEVERITY.value_set(state.severity.value),
                search_attributes.INCIDENT_STATUS.value_set(state.status.value),
                search_attributes.WAITING_FOR.value_set(waiting),
            ]
            if first:
                updates += [
                    search_attributes.INCIDENT_TYPE.value_set(state.declaration.runbook.id),
                    search_attributes.INCIDENT_MODE.value_set(state.declaration.mode),
                ]
            workflow.upsert_search_attributes(updates)
        if self._told != self._timeline.length:  # the state is the fold of the timeline: nothing else changes it
            self._told = self._timeline.length
            workflow.set_current_details(details(state))


def details(state: IncidentState) -> str:
    """The incident at a glance: where it stands, what is due, what waits for whom, what to type. HTML is escaped."""
    due, waiting = clock.next_due(state), ", ".join(waiting_for(state)) or "nobody"
    parts = [
        f"## {state.severity} {escape(state.declaration.runbook.title)} · {state.status}",
        escape(state.declaration.title),
        f"Commander: {state.commander or 'nobody yet'} · waits for: {waiting}",
        f"Next: {due.what} at {stamp(due.at)}" if due else "Nothing is due",
    ]
    lists = {
        "Findings": [f"- {one.step}: **{one.status}** {escape(one.summary)}" for one in state.findings],
        "Obligations": [f"- {one.step}: **{one.state}**, due {stamp(one.due_at)}" for one in state.obligations],
        "Changes": [f"- {one.workflow_id}: **{one.status}**" for one in state.changes],
    }
    for heading, lines in lists.items():
        if lines:
            parts += [f"### {heading}", "\n".join(lines)]
    commands = [step.command for step in next_steps(state)] or [f"incident report {state.id}"]
    return "\n\n".join([*parts, "### What to type", "```\n" + "\n".join(commands) + "\n```"])


def details_of_change(title: str, change: ChangeRecord) -> str:
    """A change at a glance: what its plan would do, and who is waited for."""
    if change.plan is None:
        return f"**{change.status}**"
    lines = [
        f"## {title}",
        f"**{change.status}** · {change.plan.summary}",
        f"Impact: {change.plan.impact}",
        f"Digest: `{change.plan.digest}`",
    ]
    if change.eligible:
        lines.append(f"Waits for: {', '.join(change.eligible)}")
    return "\n\n".join(lines)
