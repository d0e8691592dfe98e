"""Who may vote on a plan where few people hold several roles each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.approval import ApprovalClass, ApprovalRule
from domain.config.organisation import Organisation
from domain.model.change_events import ApprovalAsked
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


def test_a_class_that_nobody_is_named_for_waits_for_who_asks_or_for_ever() -> None:
    """Without a word of the organisation a narrow change is its requester's to decide; a grave one finds nobody."""
    crew = _crew(lead=["lead"], one=["watch"])
    for grade, voters in ((ApprovalClass.A1, ["one"]), (ApprovalClass.A2, []), (ApprovalClass.A3, [])):
        electorate = Electorate(crew, rule_for(crew, None, grade), "one", None)
        assert (electorate.rule.quorum, electorate.voters(), electorate.own) == (1, voters, bool(voters))


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


@given(st.data())
def test_no_case_is_weaker_than_the_weakest(draw: st.DataObject) -> None:
    """Whoever of all the people asks, and whoever commands, at least as many can approve."""
    roles = st.lists(st.sampled_from(["lead", "watch", "deck", "mate"]), min_size=1, max_size=3, unique=True)
    crew = _crew(lead=["lead"], **{f"p{number}": draw.draw(roles) for number in range(draw.draw(st.integers(0, 4)))})
    wanted = draw.draw(st.lists(st.sampled_from(["incident-commander", "lead", "watch", "deck"]), unique=True))
    rule = ApprovalRule(roles=tuple(wanted), quorum=draw.draw(st.integers(1, 3)))
    people = [who.id for who in crew.contacts]
    cases = [Electorate(crew, rule, requester, commander) for requester in people for commander in people]
    assert weakest(crew, rule).strength() == min(case.strength() for case in cases)


@given(st.data())
def test_in_whatever_order_people_vote_the_quorum_is_reached_if_it_can_be(draw: st.DataObject) -> None:
    """Who may vote and finds a role free votes; in the end there are as many votes as the voters' strength allows."""
    roles = st.lists(st.sampled_from(["lead", "watch", "deck", "mate"]), min_size=1, max_size=3, unique=True)
    crew = _crew(lead=["lead"], **{f"p{number}": draw.draw(roles) for number in range(draw.draw(st.integers(1, 4)))})
    wanted = draw.draw(st.lists(st.sampled_from(["lead", "watch", "deck", "mate"]), min_size=1, unique=True))
    rule = ApprovalRule(roles=tuple(wanted), quorum=draw.draw(st.integers(2, 3)))
    electorate = Electorate(crew, rule, draw.draw(st.sampled_from([who.id for who in crew.contacts])), None)
    votes: list[Vote] = []
    for name in draw.draw(st.permutations(electorate.voters())):
        contact = crew.contact(name)
        if contact is not None and not electorate.suffices(votes) and (role := electorate.free_role(contact, votes)):
            votes.append(Vote(by=name, role=role, decision="approve", at=T0))
    assert electorate.suffices(votes) is (electorate.strength() >= rule.quorum)


@pytest.mark.parametrize(
    ("quorum", "told"),
    [(1, "Approval needed: Promote (cto or watch)"), (2, "Approval needed: Promote (2 of cto, watch)")],
)
def test_how_many_must_approve_is_told(quorum: int, told: str) -> None:
    """Where both must, nobody reads that one is enough."""
    asked = ApprovalAsked(
        step="promote",
        workflow_id="inc-20261123-7f3k/promote/1",
        title="Promote",
        eligible=["cto", "watch"],
        quorum=quorum,
        voters=["cto"],
        until=T0,
    )
    assert asked.sentence("orchestrator") == told
