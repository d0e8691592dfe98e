"""Who may vote on a plan, and when the votes suffice."""

from domain.config.approval import DEFAULT_RULES, ApprovalClass, ApprovalRule
from domain.config.organisation import COMMANDER, Contact, Organisation
from domain.model.records import Vote


def rule_for(written: ApprovalRule | None, approval_class: ApprovalClass) -> ApprovalRule:
    """What the runbook says; where it is silent, what the class asks for."""
    return written if written is not None else DEFAULT_RULES[approval_class]


class Electorate:
    """The people who may vote: the rule's roles, stand-ins for the requester, and levels added at expiry."""

    def __init__(
        self,
        organisation: Organisation,
        rule: ApprovalRule,
        requester: str,
        commander: str | None,
        added: tuple[str, ...],
    ) -> None:
        self.organisation = organisation
        self.rule = rule
        self.requester = requester
        self.commander = commander
        roles: list[str] = []
        for role in rule.roles:
            roles.append(role)
            roles += self._stand_in(role)
        self.roles = tuple(dict.fromkeys([*roles, *added]))

    def _holders(self, role: str) -> list[str]:
        if role == COMMANDER:
            return [self.commander] if self.commander else []
        return [contact.id for contact in self.organisation.holders(role)]

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
        """The contacts who may vote, the requester never among them."""
        everyone = [holder for role in self.roles for holder in self._holders(role) if holder != self.requester]
        return list(dict.fromkeys(everyone))

    def roles_of(self, contact: Contact) -> list[str]:
        return [role for role in self.roles if contact.id in self._holders(role)]

    def suffices(self, votes: list[Vote]) -> bool:
        """Whether distinct people, each for a role of their own, reach the quorum."""
        approved = [vote for vote in votes if vote.decision == "approve"]
        return len({vote.by for vote in approved}) >= self.rule.quorum

    def free_role(self, contact: Contact, votes: list[Vote]) -> str | None:
        """The role that a vote would count for; where several must agree, no role counts twice."""
        held = self.roles_of(contact)
        taken = {vote.role for vote in votes} if self.rule.quorum > 1 else set()
        return next((role for role in held if role not in taken), None)
