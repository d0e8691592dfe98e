"""What a worker knows by itself: the one environment that it serves, its organisation, and that one's runbooks.

Every activity takes from here what a name in its request stands for, as the files are now. What a request says of
addresses, tables, keys or approval rules is not believed: anybody who reaches Temporal can make one.
"""

from typing import Protocol

from activities.action import RuleError
from activities.strange_requests import Strange, StrangeRequestError
from authority.approvals import Approval
from authority.delegations import Entry as Delegated
from authority.preauthorisations import Entry
from authority.register import Register
from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.config.runbook import Runbook
from domain.config.schedule import Schedule
from domain.model.activity_io import About, ObserveRequest
from domain.model.calls import ObserveCall, Scope


class House(Protocol):
    """A worker's own files, each read again once it has changed."""

    def environment(self) -> Environment:
        """Where this worker acts."""

    def organisation(self) -> Organisation:
        """Who there is."""

    def register(self) -> Register:
        """Whose keys prove who they are."""

    def approvals(self) -> tuple[Approval, ...]:
        """Who has signed which runbook; whether it counts is for `authority.approvals` to say."""

    def preauthorisations(self) -> tuple[Entry, ...]:
        """What may begin by itself; whether it is in force is for `authority.preauthorisations` to say."""

    def delegations(self) -> tuple[Delegated, ...]:
        """The entries of `delegations.yaml`; which of them count is for `activities.stand_ins` to say."""

    def schedules(self) -> dict[str, Schedule]:
        """What is done there by the clock, by id."""

    def runbook(self, digest: str) -> Runbook | None:
        """The runbook of a digest that stands in the folder; None where none does."""


def environment_of(house: House, name: str) -> Environment:
    """The worker's environment, by its name. Raises `RuleError` for any other."""
    own = house.environment()
    if own.name != name:
        raise StrangeRequestError(
            f"this worker serves {own.name} alone; {name!r} is not its environment", Strange.ELSEWHERE
        )
    return own


def refuse_speed(environment: Environment, speed: float) -> None:
    """Raise `RuleError` for clocks that run faster than real ones, but in a sandbox."""
    if speed != 1 and environment.kind != "sandbox":
        reason = f"a speed is for sandboxes only; {environment.name} is {environment.kind}"
        raise StrangeRequestError(reason, Strange.ELSEWHERE)


def called(house: House, asked: ObserveRequest) -> ObserveCall:
    """What a probe is called with. Raises what `scope_of` raises."""
    return ObserveCall(scope=scope_of(house, asked.about), step=asked.step, params=asked.params, at=asked.at)


def scope_of(house: House, about: About) -> Scope:
    """On whose behalf to act, with the worker's own environment in the place of its name.

    Raises `RuleError` for another environment, a speed outside of a sandbox, and a drill in production.
    """
    environment = environment_of(house, about.environment)
    refuse_speed(environment, about.speed)
    if about.mode == "drill" and environment.kind == "production":
        raise RuleError(f"there are no drills in {environment.name}, which is production")
    known = {name: value for name, value in about if name != "speed"}
    return Scope.model_construct(**{**known, "environment": environment})  # both have been checked
