"""When each action was last seen to do what it should where nobody is harmed: in a sandbox, in staging, in a drill."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.model.finding import FindingStatus
from domain.model.records import ChangeStatus
from domain.model.state import IncidentState

GOOD_FOR = timedelta(days=90)
"""How long an action counts as proven."""

_APPLIED = {ChangeStatus.APPLIED, ChangeStatus.UNDONE}


class Proof(NamedTuple):
    """That an action did it: when, in which incident. `undo` is one that took a change back."""

    action: str
    at: datetime
    incident: str
    undo: bool = False


class Proven(NamedTuple):
    """The latest proofs of one action; None where there is none."""

    did: Proof | None = None
    undid: Proof | None = None

    def expired(self, now: datetime) -> bool:
        """Whether it has to be tried again: it never did it, or not for ninety days."""
        return self.did is None or now - self.did.at > GOOD_FOR


def proven(states: Iterable[IncidentState]) -> dict[str, Proven]:
    """By action, the latest proofs of these incidents; each is let go of before the next is taken."""
    found: dict[str, Proven] = {}
    for state in states:
        if state.declaration.mode == "drill" or state.declaration.environment.kind != "production":
            for one in _proofs(state):
                found[one.action] = _with(found.get(one.action, Proven()), one)
    return found


def _with(known: Proven, one: Proof) -> Proven:
    standing = known.undid if one.undo else known.did
    if standing is not None and standing.at >= one.at:
        return known
    return known._replace(undid=one) if one.undo else known._replace(did=one)


def _proofs(state: IncidentState) -> Iterator[Proof]:
    """A change proves its action by being applied and verified, a probe by having seen, a notice by being sent."""
    for change in state.changes:
        if change.status in _APPLIED and change.ended_at is not None:
            yield Proof(change.action, change.ended_at, state.id, undo=change.undo_of is not None)
    for finding in state.findings:
        if finding.status is not FindingStatus.UNKNOWN:
            yield Proof(finding.action, finding.at, state.id)
    for notice in state.notices:
        if notice.status == "sent" and notice.due_at is not None:
            yield Proof(notice.action, notice.due_at, state.id)
