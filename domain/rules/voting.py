"""Who may vote on a plan, and when the votes suffice."""

from collections.abc import Iterable, Iterator, Mapping

from domain.config.approval import ApprovalClass, ApprovalRule
from domain.config.organisation import COMMANDER, Contact, Organisation
from domain.model.records import Vote


def rule_for(organisation: Organisation, written: ApprovalRule | None, approval_class: ApprovalClass) -> ApprovalRule:
    """What the runbook says; where it is silent, what the organisation asks for that class.

    A rule that asks for nobody is for what is narrow: of class A2 and A3 nobody decides their own.
    """
    rule = written or organisation.approval.get(approval_class) or approval_class.unnamed
    return rule if rule.quorum else approval_class.unnamed


REQUESTER = "requester"
"""What whoever has asked for a change decides it as, where nobody else has to."""


class Electorate:
    """The people who may vote: the rule's roles, stand-ins for the requester, and levels added at expiry.

    Where the rule asks for nobody it is `own`: whoever requested the change decides, over the plan, and nobody else.
    """

    def __init__(
        self,
        organisation: Organisation,
        rule: ApprovalRule,
        requester: str,
        commander: str | None,
        added: tuple[str, ...] = (),
    ) -> None:
        self.organisation = organisation
        self.own = rule.quorum == 0
        self.rule = ApprovalRule(roles=(REQUESTER,)) if self.own else rule
        self.requester = requester
        self.commander = commander
        roles: list[str] = []
        for role in self.rule.roles:
            roles.append(role)
            roles += [] if self.own else self._stand_in(role)
        self.roles = tuple(dict.fromkeys([*roles, *added]))

    def _holders(self, role: str) -> list[str]:
        if self.own:
            return [contact.id for contact in self.organisation.contacts if contact.id == self.requester]
        return [contact.id for contact in self.organisation.holders(role, self.commander)]

    def _stand_in(self, role: str) -> list[str]:
        """Who stands in when the requester holds a role that must approve: upwards along the chain."""
        if self.requester not in self._holders(role):
            return []
        chain = self.organisation.chain
        above = chain[chain.index(role) + 1 :] if role in chain else chain
        for candidate in (*above, *reversed(chain)):
            if [holder for holder in self._holders(candidate) if holder != self.requester]:
                return [candidate]
        return []

    def voters(self) -> list[str]:
        """The contacts who may vote: the requester alone, where it is theirs to decide, and else never among them."""
        return [*self._choices()]

    def _choices(self) -> dict[str, list[str]]:
        """The roles that each voter may vote for."""
        found: dict[str, list[str]] = {}
        for role in self.roles:
            for holder in self._holders(role):
                if self.own or holder != self.requester:
                    found.setdefault(holder, []).append(role)
        return found

    def roles_of(self, contact: Contact) -> list[str]:
        return [role for role in self.roles if contact.id in self._holders(role)]

    def strength(self) -> int:
        """How many of the voters can approve together. One person is one vote, and where several must agree, no role
        counts twice.
        """
        voters = self._choices()
        return _paired(voters) if self.rule.quorum > 1 else len(voters)

    def suffices(self, votes: list[Vote]) -> bool:
        """Whether distinct people, each for a role of their own, reach the quorum, or one of them decides alone."""
        if any(vote.break_glass is not None for vote in votes):
            return True
        approved = [vote for vote in votes if vote.decision == "approve"]
        return len({vote.by for vote in approved}) >= self.rule.quorum

    def free_role(self, contact: Contact, votes: list[Vote]) -> str | None:
        """The role that a vote counts for; where several must agree, no role counts twice.

        Who holds several votes for the one that leaves most to those who have yet to vote.
        """
        held = self.roles_of(contact)
        if self.rule.quorum <= 1:
            return next(iter(held), None)
        taken = {vote.role for vote in votes}
        heard = {contact.id, *(vote.by for vote in votes)}
        others = {voter: set(roles) - taken for voter, roles in self._choices().items() if voter not in heard}
        free = [role for role in held if role not in taken]
        return max(free, key=lambda role: _paired({who: roles - {role} for who, roles in others.items()}), default=None)


def commanding(votes: Iterable[Vote], commander: str | None) -> str | None:
    """Who voted as the commander, else who commands: such a vote stands though somebody else commands by now."""
    return next((vote.by for vote in votes if vote.role == COMMANDER), commander)


def counting(organisation: Organisation, votes: Iterable[Vote]) -> list[Vote]:
    """The votes that stand by the organisation as of then: of who held a role as a stand-in, and does no more, none."""
    return [vote for vote in votes if vote.role not in organisation.held() or _holds(organisation, vote)]


def _holds(organisation: Organisation, vote: Vote) -> bool:
    return any(contact.id == vote.by for contact in organisation.holders(vote.role))


def weakest(organisation: Organisation, rule: ApprovalRule) -> Electorate:
    """Who could vote in the worst case: the one who is missed most asks for the change, or is in command."""
    return min(_cases(organisation, rule), key=Electorate.strength)


def strongest(organisation: Organisation, rule: ApprovalRule) -> Electorate:
    """Who could vote in the best case: somebody asks, and commands, of whom nothing else is needed."""
    return max(_cases(organisation, rule), key=Electorate.strength)


def _cases(organisation: Organisation, rule: ApprovalRule) -> Iterator[Electorate]:
    """Who could vote, by who asks for the change and who commands."""
    concerned = [who.id for role in (*rule.roles, *organisation.chain) for who in organisation.holders(role)]
    others = [who.id for who in organisation.contacts if who.id not in concerned]
    people = [*dict.fromkeys(concerned), *others[:2]]  # of those with no part in it, one may ask and another command
    commanders = people if COMMANDER in rule.roles else people[:1]
    return (Electorate(organisation, rule, requester, one) for requester in people for one in commanders)


def _paired(choices: Mapping[str, list[str] | set[str]]) -> int:
    """How many people can each have a role of their own at once, found by augmenting paths."""
    holder: dict[str, str] = {}

    def place(who: str, seen: set[str]) -> bool:
        for role in choices[who]:
            if role not in seen:
                seen.add(role)
                if role not in holder or place(holder[role], seen):
                    holder[role] = who
                    return True
        return False

    return sum(place(who, set()) for who in choices)
