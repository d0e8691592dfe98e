"""Why a vote on one change, or its cancellation, is refused."""

from typing import NamedTuple

from domain.config.organisation import COMMANDER, Contact
from domain.model.commands import Approve, BreakGlass, Command
from domain.model.events import ORCHESTRATOR
from domain.model.records import ChangeRecord, ChangeStatus
from domain.rules import breaking_glass
from domain.rules.voting import Electorate, counting

_KEPT = 3
"""How many votes of one person are kept before there is a plan to vote on."""


class Ballots(NamedTuple):
    """One change as it stands, who may vote on it, who commands, and whether it is `evidence` that it preserves."""

    change: ChangeRecord
    electorate: Electorate
    commander: str | None
    evidence: bool

    def who(self, by: str) -> Contact | None:
        """The contact of this id, or the first who holds the role."""
        return self.electorate.organisation.contact(by, self.commander)

    def not_kept(self, command: Command) -> str | None:
        """Why a vote that comes before the plan is not kept until it is there."""
        who = self.who(command.by)
        if who is None and command.by != COMMANDER:
            return self._unknown(command)
        kept = sum(self.who(str(vote.given.get("by"))) == who for vote in self.change.early)
        if kept < _KEPT:
            return None
        return f"{command.by} has spoken {kept} times before the plan; say it again once it is there"

    def refusal(self, name: str, command: Command) -> str | None:
        """Why what is said of a change with its plan is refused, or a cancellation; None where it counts."""
        who = self.who(command.by)
        if who is None and (name, command.by) != ("cancel", ORCHESTRATOR):
            return self._unknown(command)
        if not self.change.in_flight:
            return f"the change is {self.change.status}"
        if self.change.status not in {ChangeStatus.PLANNING, ChangeStatus.AWAITING_APPROVAL}:
            return f"the change is {self.change.status} already"
        return None if name == "cancel" or who is None else self._of_vote(who, command)

    def _unknown(self, command: Command) -> str:
        return f"{command.by!r} is no contact or role of {self.electorate.organisation.id}"

    def _of_vote(self, who: Contact, command: Command) -> str | None:
        electorate, plan = self.electorate, self.change.plan
        if isinstance(command, Approve | BreakGlass) and plan is not None and command.digest != plan.digest:
            return f"the digest is not that of the plan to decide on ({plan.digest})"
        if isinstance(command, BreakGlass):
            if plan is None:
                return "there is no plan to decide on alone"
            return breaking_glass.refusal(electorate.organisation, who, plan, evidence=self.evidence)
        if who.id == self.change.requested_by and not electorate.own:
            return f"{who.id} requested this change; somebody else must decide"
        if not electorate.roles_of(who):
            return f"{who.id} may not decide this; {' or '.join(electorate.roles)} may"
        if any(vote.by == who.id for vote in self.change.approvals):
            return f"{who.id} has voted already"
        votes = counting(electorate.organisation, self.change.approvals)
        if isinstance(command, Approve) and electorate.free_role(who, votes) is None:
            return f"every role of {who.id} has voted already; another role must agree"
        return None
