"""What actions are called with inside a worker: the names of a request, with the worker's own models in their place."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from domain.config.environment import Environment, Notifications
from domain.config.organisation import Channel
from domain.model.activity_io import Ballot, Behalf, GivenUp, PlanNamed
from domain.model.plan import Plan


class Scope(Behalf):
    """On whose behalf an activity acts, and where: `environment` is the worker's own."""

    environment: Environment


class ObserveCall(BaseModel):
    """Ask a probe. `at` is the end of every window it looks at, fixed by the workflow so that a retry sees the same."""

    scope: Scope
    step: str
    params: dict[str, Any]
    at: datetime


class _ChangeCall(BaseModel):
    """Which change is meant: the `generation`-th of a step of the runbook."""

    scope: Scope
    step: str
    generation: int


class PlanCall(_ChangeCall):
    """Ask a change for its plan; `undo` is the applied plan to reverse."""

    params: dict[str, Any]
    undo: Plan | None = None


class ApplyCall(_ChangeCall):
    """Apply exactly this plan. `action_id` names the intent; `holder` is the workflow that holds the locks.

    Without votes it is `preauthorised`, by the digest of what `approvers` have signed beforehand.
    """

    action_id: str
    holder: str
    plan: Plan
    approvers: tuple[str, ...]
    requested_by: str | None = None
    votes: tuple[Ballot, ...] = ()
    preauthorised: str | None = None
    term: int = 1


class VerifyCall(_ChangeCall):
    """Look whether the world is `plan.after`, but for `refused` pieces; renews the locks' lease on every look."""

    action_id: str
    holder: str
    plan: Plan
    refused: tuple[str, ...] = ()


class ReleaseCall(_ChangeCall):
    """Give the locks back; those that somebody else holds by now stay theirs.

    `unverified` says why what was applied is not known to do well: that goes on record as what came of it. So does why
    a change was `given_up` in this `term` of its incident: from then on it is not begun.
    """

    holder: str
    locks: tuple[str, ...]
    unverified: str | None = None
    given_up: GivenUp | None = None
    term: int = 1


class PageCall(BaseModel):
    """Reach one contact. `page_id` is fixed per page: attempts of one page share it.

    Its copies are on record in `ledger_table`. A lost answer is waited for by the incident's clocks, of this `speed`.
    `plan` is the one to decide on, `words` the line about it that stands last, by whichever channel the page goes.
    """

    page_id: str
    incident: str
    to: str
    role: str
    channels: tuple[Channel, ...]
    sender: Notifications
    subject: str
    body: str
    ledger_table: str
    speed: float
    plan: PlanNamed | None = None
    words: str = ""


class WaveCall(BaseModel):
    """Reach several contacts at once, each tried once by each of his channels."""

    pages: list[PageCall]
