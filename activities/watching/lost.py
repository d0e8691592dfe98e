"""What people are told of an incident that nobody carries on: who they are, and what the page says."""

from datetime import datetime
from typing import Literal, NamedTuple

from activities.house import House
from activities.watching.records import Record
from domain.model.activity_io import About, PageRequest
from domain.model.state import IncidentState
from domain.rules import unattended
from domain.rules.clock import Due
from domain.values.severity import Severity
from domain.values.timestamps import short_time, stamp_to_second


class Lost(NamedTuple):
    """One silence, the roles that are told of it, and what to do: of that a text message holds `command` alone."""

    about: About
    due: Due
    heading: str
    command: str
    ask: str
    roles: tuple[str, ...]
    commander: str | None = None
    message: Literal["page", "mail"] = "page"
    can_go_on: bool = True

    def page(self, to: str, role: str, rounds: int) -> PageRequest:
        """The page of a round to one person; whoever sends the same round again sends the same page."""
        return PageRequest(
            about=self.about,
            page_id=f"{self.about.incident}/silence/{stamp_to_second(self.due.at)}/{rounds}/{to}",
            message=self.message,
            to=to,
            role=role,
            heading=self.heading,
            reason=f"nobody carries it on: {self.command}",
            ask=self.ask,
        )


def silent(state: IncidentState, due: Due, now: datetime) -> Lost:
    """An incident of which something was due. Of upkeep, for which nobody is paged, people are told by mail."""
    return Lost(
        about=state.about,
        due=due,
        heading=state.declaration.runbook.title,
        command=f"incident restore {state.id}",
        ask=f"{due.what}: was due {short_time(due.at)} and did not happen."
        "\nNobody is paged or reminded by it any more."
        f"\nLook: incident show {state.id}\nGo on with it: incident restore {state.id}",
        roles=unattended.concerned(state, now),
        commander=state.commander,
        message="mail" if state.upkeep else "page",
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
        about=about,
        due=Due(record.declared_at, f"its record cannot be read: {record.state}"),
        heading="An incident",
        command=f"incident audit verify {record.incident}",
        ask=f"Its record cannot be read: {record.state}.\nLook: incident audit verify {record.incident}",
        roles=(*people.on_call, *people.chain[:1]),
        can_go_on=False,
    )
