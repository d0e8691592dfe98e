"""A worker's own files as tests have them, and an incident that is on record."""

from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.action import Clients
from activities.askers import whose_is
from activities.declared import OnRecord
from activities.ledger.table import Table, keys, text
from authority.approvals import Approval
from authority.delegations import Entry as Delegated
from authority.preauthorisations import Entry
from authority.register import Register
from domain.config.environment import Environment
from domain.config.organisation import Channel, Contact, Organisation
from domain.config.runbook import ChangeStep, NoticeStep, Phase, Runbook, made
from domain.config.schedule import Schedule
from domain.model.activity_io import About, WaveRequest
from domain.model.calls import Scope
from domain.model.declaration import Declaration
from starters.files.organisation_folder import load_organisation
from starters.files.shipped import shipped_folder
from tests.people import PEOPLE


class FixedHouse:
    """One environment, one organisation, some runbooks.

    Where none is given it is the shipped one, but for those who approve runbooks: nobody has to.
    """

    def __init__(self, environment: Environment, organisation: Organisation | None = None, *runbooks: Runbook) -> None:
        self.place = environment
        self.people = organisation or _shipped()
        self.runbooks = {one.digest(): one for one in runbooks}
        self.rows: dict[str, Schedule] = {}
        self.keys = Register(())
        self.signatures: tuple[Approval, ...] = ()
        self.preauthorised: tuple[Entry, ...] = ()
        self.delegated: tuple[Delegated, ...] = ()

    def environment(self) -> Environment:
        return self.place

    def organisation(self) -> Organisation:
        return self.people

    def runbook(self, digest: str) -> Runbook | None:
        return self.runbooks.get(digest)

    def register(self) -> Register:
        return self.keys

    def approvals(self) -> tuple[Approval, ...]:
        return self.signatures

    def preauthorisations(self) -> tuple[Entry, ...]:
        return self.preauthorised

    def delegations(self) -> tuple[Delegated, ...]:
        return self.delegated

    def schedules(self) -> dict[str, Schedule]:
        return self.rows


@cache
def _shipped() -> Organisation:
    return load_organisation(shipped_folder()).model_copy(update={"runbook_approvers": ()})


def house_of(declaration: Declaration) -> FixedHouse:
    """The files that an incident was declared by, and everybody's keys."""
    house = FixedHouse(declaration.environment, declaration.organisation, declaration.runbook)
    house.keys = PEOPLE.keys()
    return house


def about(scope: Scope) -> About:
    """A scope as a request has it: by names."""
    return About(**{**scope.model_dump(), "environment": scope.environment.name})


def asked_by(workflow_id: str) -> ActivityEnvironment:
    """Where an activity runs that this workflow asks."""
    within = ActivityEnvironment()
    within.info = replace(within.info, workflow_id=workflow_id)
    return within


def asking(call: Any) -> ActivityEnvironment:
    """Where an activity runs that is asked by the workflow whose the request is."""
    one = call.pages[0] if isinstance(call, WaveRequest) else call
    return asked_by((*whose_is(one), "anybody")[0])


def runbook_of(*steps: ChangeStep | NoticeStep) -> Runbook:
    return made("test", "Test", ("devops-lead",), Phase(id="only", title="Only", steps=steps))


def on_record(
    clients: Clients, scope: Scope, runbook: Runbook, declared_at: datetime | None = None, speed: float = 1
) -> None:
    """Put on record that the incident of this scope is declared under a runbook."""
    found = OnRecord(
        runbook=runbook.digest(),
        mode=scope.mode,
        speed=speed,
        declared_at=declared_at or scope.declared_at,
        declared_by="devops-lead",
        severity=scope.severity,
    )
    item = {**keys(f"declared#{scope.incident}", "declared"), "content": text(found.model_dump_json())}
    Table(clients, scope.environment.ledger_table).put(item, "attribute_exists(pk) OR attribute_not_exists(pk)")


def reached_by(**channels: tuple[Channel, ...]) -> Organisation:
    """An organisation whose contacts have these channels, by id."""
    shipped = load_organisation(shipped_folder())
    contacts = tuple(
        Contact(id=name.replace("_", "-"), roles=("devops-lead",), channels=given) for name, given in channels.items()
    )
    return shipped.model_copy(update={"contacts": contacts})
