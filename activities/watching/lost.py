"""What people are told of an incident that nobody carries on, and of a schedule that does not run."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from activities.house import House
from activities.watching.records import Record, Run
from domain.model.activity_io import About, PageRequest
from domain.model.state import IncidentState
from domain.rules import unattended
from domain.rules.clock import Due
from domain.values.severity import Severity
from domain.values.timestamps import short_time, stamp_to_second


class Lost(NamedTuple):
    """One silence of what `of` names, the roles that are told of it, and what to do.

    A text message holds `reason` alone. `rounds` says how often people are told within so much policy time.
    """

    of: str
    about: About
    due: Due
    heading: str
    reason: str
    ask: str
    roles: tuple[str, ...]
    commander: str | None = None
    message: Literal["page", "mail"] = "page"
    can_go_on: bool = True
    rounds: Callable[[timedelta], int] = unattended.rounds_by

    def page(self, to: str, role: str, rounds: int) -> PageRequest:
        """The page of a round to one person; whoever sends the same round again sends the same page."""
        return PageRequest(
            about=self.about,
            page_id=f"{self.of}/silence/{stamp_to_second(self.due.at)}/{rounds}/{to}",
            message=self.message,
            to=to,
            role=role,
            heading=self.heading,
            reason=self.reason,
            ask=self.ask,
        )


def _of(state: IncidentState, due: Due) -> dict[str, Any]:
    """Of which incident it is, and how one goes on with it."""
    return {
        "of": state.id,
        "about": state.about,
        "due": due,
        "heading": state.declaration.runbook.title,
        "reason": _not_carried_on(f"incident restore {state.id}"),
        "commander": state.commander,
    }


def silent(state: IncidentState, due: Due, now: datetime) -> Lost:
    """An incident of which something was due. Of upkeep, for which nobody is paged, people are told by mail."""
    return Lost(
        **_of(state, due),
        ask=f"{due.what}: was due {short_time(due.at)} and did not happen."
        "\nNobody is paged or reminded by it any more."
        f"\nLook: incident show {state.id}\nGo on with it: incident restore {state.id}",
        roles=unattended.concerned(state, now),
        message="mail" if state.upkeep else "page",
    )


def unreminded(state: IncidentState, due: Due) -> Lost:
    """A closed incident, of whose work that is left nobody is reminded. Its owners are told by mail, once a day."""
    left = "\n".join(f"- {task.title} ({task.owner})" for task in state.open_tasks())
    return Lost(
        **_of(state, due),
        ask=f"{due.what}: a reminder was due {short_time(due.at)} and did not go out."
        f"\nThe incident is closed, and nobody is reminded any more of what it has left:\n{left}"
        f"\nLook: incident show {state.id}\nGo on with it: incident restore {state.id}",
        roles=unattended.owners(state),
        message="mail",
        rounds=unattended.daily_rounds_by,
    )


def not_run(schedule: str, due: Due, last: Run | None, house: House, now: datetime) -> Lost:
    """A schedule that does not run. Whoever sees to security and the first of the chain are told by mail, once."""
    people, where = house.organisation(), house.environment().name
    about = About(
        incident=where,
        type="schedule",
        title=f"Schedule {schedule} does not run",
        severity=Severity.P3,
        mode="live",
        declared_at=now,
        environment=where,
    )
    incident = last.incident if last else None
    still = f"\nIts last run is still open, and no other begins meanwhile: {incident}" if incident else ""
    return Lost(
        of=f"schedule/{where}/{schedule}",
        about=about,
        due=due,
        heading=f"Schedule {schedule} of",
        reason="it does not run: incident schedule apply",
        ask=f"{due.what} did not come, the first of them due {short_time(due.at)}.{still}"
        "\nSomebody may have deleted or paused it in Temporal."
        f"\nLook: incident schedule show {schedule}"
        f"\nMake it again: incident schedule apply\nLet it go on: incident schedule resume {schedule}",
        roles=tuple(dict.fromkeys([people.guard, *people.chain[:1]])),
        message="mail",
        can_go_on=False,
        rounds=lambda _: 1,
    )


def unreadable(record: Record, house: House) -> Lost:
    """An incident whose record cannot be read: nobody can tell whether it is carried on, nor go on with it."""
    people = house.organisation()
    about = About(
        incident=record.incident,
        type="unknown",
        title="Its record cannot be read",
        severity=Severity.P0,
        mode="live",
        declared_at=record.declared_at,
        environment=house.environment().name,
    )
    return Lost(
        of=record.incident,
        about=about,
        due=Due(record.declared_at, f"its record cannot be read: {record.state}"),
        heading="An incident",
        reason=_not_carried_on(f"incident audit verify {record.incident}"),
        ask=f"Its record cannot be read: {record.state}.\nLook: incident audit verify {record.incident}",
        roles=(*people.on_call, *people.chain[:1]),
        can_go_on=False,
    )


def _not_carried_on(command: str) -> str:
    return f"nobody carries it on: {command}"
