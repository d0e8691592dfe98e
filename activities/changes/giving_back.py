"""How a change ends: its locks are given back, and what came of it stands on record."""

from datetime import datetime
from typing import Any

from activities.action import Clients
from activities.changes.plans import Plans
from activities.changes.runner import ChangeRunner
from activities.house import House, scope_of
from activities.ledger.table import Table
from domain.model.activity_io import ChangeAsked, ReleaseRequest
from domain.model.calls import ReleaseCall, Scope
from domain.values import ids


def release(clients: Clients, house: House, runner: ChangeRunner, asked: ReleaseRequest, at: datetime) -> None:
    """Give back the locks of a plan on record, like `ChangeRunner.release`; without a plan none were taken."""
    scope = scope_of(house, asked.about)
    if scope.mode == "dry-run":  # which takes none, and keeps no record
        return
    change = scope.incident, asked.step, asked.generation
    plans = Plans(Table(clients, scope.environment.ledger_table))
    made = None if asked.digest is None else plans.find(*change, asked.digest)
    if made is not None or asked.given_up is not None:
        said = {"unverified": asked.unverified, "given_up": asked.given_up, "term": asked.term}
        give_back(runner, scope, asked, made.plan.locks if made else (), at, **said)


def give_back(
    runner: ChangeRunner, scope: Scope, asked: ChangeAsked, locks: tuple[str, ...], at: datetime, **said: Any
) -> None:
    """Give back these locks of a change, and put what is `said` of it on record (`ReleaseCall`)."""
    runner.release(
        ReleaseCall(
            scope=scope,
            step=asked.step,
            generation=asked.generation,
            holder=ids.change_workflow_id(scope.incident, asked.step, asked.generation),
            locks=locks,
            **said,
        ),
        at,
    )
