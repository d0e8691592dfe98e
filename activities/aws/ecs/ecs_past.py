"""Which revisions of a service ran well, which were left as bad, and by whom: from ECS's history and our own ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from activities.action import Clients
from activities.aws.ecs.described_service import primary, revision
from activities.aws.ecs.ecs_history import ENDED_BADLY, GOING_BACK, Deployment, history
from activities.aws.shared.error_codes import is_of_aws
from activities.changes.intents import Intent, Intents
from activities.ledger.table import Table
from domain.model.calls import Scope
from domain.model.plan import State

PAST_PERMISSIONS = ("dynamodb:GetItem Query", "ecs:DescribeServiceRevisions ListServiceDeployments")
_REVISION = "task_definition"
_NOT_YET = datetime.max.replace(tzinfo=UTC)
_SKEW = timedelta(minutes=1)  # how far our clock and that of ECS may be apart


class Move(NamedTuple):
    """A change of revision that we carried out in some incident; `failed` tells that it was not seen to do well."""

    incident: str
    before: str
    after: str
    at: datetime
    failed: bool
    undoes: bool


class Left(NamedTuple):
    """Since when, and by whom, a revision is held to be bad, or the service was brought back."""

    at: datetime
    why: str
    by_us: bool = False


class Past(NamedTuple):
    """A service's deployments, newest first, what of it was our own doing, oldest first, and what is primary now.

    `rollout` is the state of the primary's rollout; None where ECS does not tell. `ledger_unread`: what was our own
    doing is not known, as the ledger could not be read.
    """

    deployments: list[Deployment]
    moves: list[Move]
    current: str
    rollout: str | None
    ledger_unread: bool = False

    @property
    def going_back(self) -> Deployment | None:
        """The deployment that ECS takes back at this moment, by itself or because somebody stopped it."""
        newest = next(iter(self.deployments), None)
        if newest is None or newest.status in GOING_BACK:
            return newest
        # it may have come to its end between the look at the service and that at its history
        just_back = newest.status == "ROLLBACK_SUCCESSFUL" and newest.task_definition != self.current
        return newest if just_back and self.rollout == "IN_PROGRESS" else None

    def left(self) -> dict[str, Left]:
        """The revisions that were rolled back from: by us, by ECS itself, or by somebody's earlier revision.

        Our undo takes our own verdict back, and what followed from it. A deployment of the same revision does not:
        a pipeline deploys again what broke.
        """
        found: dict[str, Left] = {}
        for at, left, why in sorted(self._verdicts(), key=lambda one: one[0]):
            if why is None:
                found.pop(left, None)
            else:
                found.setdefault(left, Left(at, why))
        return found

    def brought_back(self) -> Left | None:
        """Why the service is where a rollback would bring it: we or ECS rolled it back, and that has not failed."""
        if self.current in self.left() or self.rollout == "FAILED":
            return None
        last, newest = next(reversed(self.moves), None), next(iter(self.deployments), None)
        if last and last.after == self.current and not last.undoes and not self._deployed_since(last.at):
            back = Left(last.at, f"{last.incident} rolled it back from {revision(last.before)}", by_us=True)
            return None if last.failed else back
        if newest and newest.status == "ROLLBACK_SUCCESSFUL" and newest.task_definition != self.current:
            return Left(newest.ended_at, f"ECS itself rolled it back from {revision(str(newest.task_definition))}")
        return None

    def last_good(self) -> Deployment | None:
        """The newest deployment of another revision that succeeded, and that nobody has rolled back from since.

        The second-newest registered revision is no answer: it may never have run.
        """
        left = self.left()
        good = (one for one in self.deployments if one.status == "SUCCESSFUL" and one.task_definition not in left)
        return next((one for one in good if one.task_definition not in (None, self.current)), None)

    def gone(self, deployment: Deployment, by: datetime) -> bool:
        """Whether this deployment had been rolled back from by then; one of the same revision since is another."""
        at_least = deployment.created_at - _SKEW
        verdicts = [
            one for one in self._verdicts() if one[1] == deployment.task_definition and at_least <= one[0] <= by
        ]
        *_, (_, _, why) = [(at_least, "", None), *sorted(verdicts, key=lambda one: one[0])]
        return why is not None

    def ours(self) -> list[Deployment]:
        """The deployments that changes of ours made: for each, the first of its revision since our intent.

        None stands for two: rollbacks of several incidents, one soon after the other, made one each.
        """
        found: list[Deployment] = []
        for move in self.moves:
            since = move.at - _SKEW
            made = [one for one in self._known() if one.task_definition == move.after and one.created_at >= since]
            found += [one for one in made if one not in found][:1]
        return found

    def _verdicts(self) -> Iterator[tuple[datetime, str, str | None]]:
        """When a revision was judged, which, and why it is bad; None where that was taken back."""
        for move in self.moves:
            yield (move.at, move.after, None) if move.undoes else (move.at, move.before, f"left by {move.incident}")
        known = self._known()
        for one in known:
            if one.status.startswith("ROLLBACK_"):
                yield one.finished_at or _NOT_YET, str(one.task_definition), f"taken back by ECS ({one.status})"
        before: list[Deployment] = []
        for later in known:
            # one that came to nothing has left what runs in its place; it is left itself with what ran before it
            if later.status not in ENDED_BADLY:
                left = (one for one in before if self._goes_back(one, later))
                yield from ((later.created_at, str(one.task_definition), "left for an earlier one") for one in left)
                before = []
            before.append(later)

    def _known(self) -> list[Deployment]:
        """The deployments whose revision is known, oldest first."""
        return [one for one in reversed(self.deployments) if one.task_definition]

    def _goes_back(self, one: Deployment, later: Deployment) -> bool:
        """Whether `later` brought a revision that had been deployed before that of `one` ever was."""
        order = list(dict.fromkeys(each.task_definition for each in self._known()))
        return order.index(later.task_definition) < order.index(one.task_definition)

    def _deployed_since(self, at: datetime) -> bool:
        return any(one.created_at > at and one.task_definition != self.current for one in self.deployments)


def past_of(clients: Clients, scope: Scope, at: State, service: dict[str, Any], *, once: bool = False) -> Past:
    """Read the history of a service and what every incident of ours did to it; see `PAST_PERMISSIONS`.

    No response waits for the ledger: where it does not answer, at the first attempt if it is asked but `once`, what was
    our own doing is not known. Raises what `history` raises.
    """
    now, deployments, unread = primary(service), history(clients, at), False
    try:
        intents = Intents(Table(clients, scope.environment.ledger_table, once=once))
        moves = _moves(intents, str(service["serviceArn"]), deployments)
    except Exception as error:
        if not is_of_aws(error):
            raise
        moves, unread = [], True
    return Past(deployments, moves, str(now["taskDefinition"]), now.get("rolloutState"), unread)


def _moves(intents: Intents, arn: str, deployments: list[Deployment]) -> list[Move]:
    """Our changes of a service's revision; restarts and counts change none. What reverses an undo is none itself.

    An intent is on record before its write, which AWS may refuse: without an outcome ECS must show that it acted.
    """
    changes: list[Intent] = []
    moves = []
    for one in intents.on(arn):
        if (before := one.before.get(_REVISION)) == (after := one.after.get(_REVISION)):
            continue
        outcome = intents.outcome(one.incident, one.step, one.generation)
        if outcome is None and not _shows(deployments, one):
            continue
        undoes = any(_reverses(one, earlier) for earlier in changes)
        changes += [] if undoes else [one]
        moves.append(Move(one.incident, str(before), str(after), one.at, failed=outcome == "failed", undoes=undoes))
    return moves


def _shows(deployments: list[Deployment], one: Intent) -> bool:
    """Whether ECS shows that an intent acted: what was deployed next was its revision, or what it left was taken back.

    A rollout under way is taken back without a deployment of its own (ECS API StopServiceDeployment).
    """
    since = one.at - _SKEW
    later = [each for each in deployments if each.created_at >= since]
    others = [each.task_definition for each in later if each.task_definition != one.before[_REVISION]]
    stopped = (
        each.status.startswith("ROLLBACK_") and (each.finished_at or _NOT_YET) >= since
        for each in deployments
        if each.task_definition == one.before[_REVISION] and each.created_at <= one.at + _SKEW
    )
    return others[-1:] == [one.after[_REVISION]] or any(stopped)


def _reverses(one: Intent, earlier: Intent) -> bool:
    same = (one.incident, one.step) == (earlier.incident, earlier.step)
    return same and one.before == earlier.after and one.after == earlier.before
