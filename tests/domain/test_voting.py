"""Who may vote on a plan where few people hold several roles each."""

import pytest

from domain.config.approval import ApprovalClass, ApprovalRule
from domain.config.organisation import Organisation
from domain.model.records import Vote
from domain.rules.voting import Electorate, rule_for, weakest
from tests.builders import T0, organisation


def _crew(**roles: list[str]) -> Organisation:
    """People with roles; whoever leads holds `lead`."""
    contacts = [
        {"id": name, "roles": held, "channels": [{"kind": "email", "address": f"{name}@example.com"}]}
        for name, held in roles.items()
    ]
    content = organisation().model_dump(mode="json") | {"contacts": contacts, "chain": ["lead"], "approval": {}}
    return Organisation.model_validate(content)


@pytest.mark.parametrize("first", ["both", "one"])
def test_an_early_vote_leaves_the_others_a_role(first: str) -> None:
    """Two of two are found whoever votes first: who holds both roles votes for the one that nobody else could."""
    crew = _crew(lead=["lead"], both=["watch", "deck"], one=["watch"])
    electorate = Electorate(crew, ApprovalRule(roles=("watch", "deck"), quorum=2), "lead", None)
    votes: list[Vote] = []
    for name in sorted(("both", "one"), key=lambda name: name != first):
        contact = crew.contact(name)
        assert contact is not None
        role = electorate.free_role(contact, votes)
        assert role is not None
        votes.append(Vote(by=name, role=role, decision="approve", at=T0))
    assert electorate.suffices(votes)
    assert {vote.by: vote.role for vote in votes} == {"both": "deck", "one": "watch"}


def test_a_class_that_nobody_is_named_for_waits_for_nobody_or_for_ever() -> None:
    """Without a word of the organisation a narrow change needs no approver, and a grave one finds none."""
    crew = _crew(lead=["lead"], one=["watch"])
    for grade, quorum in ((ApprovalClass.A1, 0), (ApprovalClass.A2, 1), (ApprovalClass.A3, 1)):
        rule = rule_for(crew, None, grade)
        assert (rule.quorum, weakest(crew, rule).voters()) == (quorum, [])


def test_what_the_runbook_says_goes_before() -> None:
    """A step's own rule holds whatever the class; where it is silent, the organisation's for that class does."""
    own = ApprovalRule(roles=("ceo",))
    assert rule_for(organisation(), own, ApprovalClass.A3) == own
    assert rule_for(organisation(), None, ApprovalClass.A3) == ApprovalRule(roles=("cto", "devops-lead"), quorum=2)
    assert rule_for(organisation(), None, ApprovalClass.A1).quorum == 0


def test_the_weakest_case_is_the_one_with_fewest_votes() -> None:
    """Of all who may ask and command, the case is found in which fewest could approve together."""
    crew = _crew(lead=["lead"], one=["watch"], two=["watch"])
    case = weakest(crew, ApprovalRule(roles=("incident-commander", "lead")))
    assert (case.requester, case.commander, case.strength()) == ("lead", "lead", 0)
