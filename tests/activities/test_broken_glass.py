"""Outside a sandbox the hands begin what one person decides alone, for the hour that they sign for, and page nobody."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from authority.claims import Act
from authority.register import Register, RegisteredKey
from domain.config.approval import ApprovalClass
from domain.config.organisation import BreakGlass
from domain.model.activity_io import Ballot
from domain.model.acts import of_request
from domain.model.proofs import Requested, of_break_glass
from tests.activities.catalogue_worlds import world_of
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import NOW
from tests.activities.test_proven_votes import STEP, Asked
from tests.authority.signing import generated, public, signed
from tests.people import PEOPLE

WHY = "nobody answers since 03:10"
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield world_of("ecs.rollback_service")


@pytest.fixture
def asked(world: ChangeWorld) -> Asked:
    made = Asked(world)
    assert made.plan.approval_class is ApprovalClass.A2
    return made


def alone(asked: Asked, by: str = "devops-lead", why: str = WHY, **other: Any) -> Ballot:
    """The vote of who decides it alone; `other` fields of the claim replace those that would be right."""
    about = {"generation": 1, "at": NOW, "expires": NOW + HOUR, **other}
    subject = about.pop("subject", of_break_glass(asked.plan.digest, WHY))
    act = about.pop("act", Act.BREAK_GLASS)
    claim = PEOPLE.claim(by, act, subject, asked.where, STEP, **about)
    return Ballot(by=by, role=by, proof=PEOPLE.signed(claim), break_glass=why)


def test_whoever_requested_it_decides_it_alone(asked: Asked) -> None:
    """Once; asked for again, it is found done, though the hour is over by then."""
    vote = alone(asked)
    assert asked.apply(vote).outcome == "applied"
    assert asked.apply(vote, after=2 * HOUR).outcome == "applied"


WRONG: dict[str, tuple[Callable[[Asked], Ballot], str]] = {
    "none": (lambda _: Ballot(by="devops-lead", role="devops-lead", break_glass=WHY), "it is not signed"),
    "for longer": (lambda it: alone(it, expires=NOW + 2 * HOUR), "it holds for longer than 1:00:00"),
    "an old one": (lambda it: alone(it, at=NOW - 2 * HOUR, expires=NOW - HOUR), "it has expired"),
    "another reason": (lambda it: alone(it, why="why not"), "another plan than the one that stands"),
    "another plan": (lambda it: alone(it, subject=of_break_glass("ab" * 32, WHY)), "another plan"),
    "a plain approval": (lambda it: alone(it, act=Act.APPROVE, subject=it.plan.digest), "another act"),
    "another change": (lambda it: alone(it, generation=2), "another change of the step"),
    "another incident": (lambda it: alone(it, incident="inc-20261123-0ther"), "another incident"),
    "a stranger": (lambda it: alone(it).model_copy(update={"by": "nobody"}), "'nobody' is no contact"),
    "another's": (lambda it: alone(it, by="cto").model_copy(update={"by": "ceo"}), "somebody else"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_proves_something_else_decides_nothing(asked: Asked, wrong: str) -> None:
    made, why = WRONG[wrong]
    assert why in asked.refused(made(asked))


def test_who_may_is_the_workers_to_say(asked: Asked) -> None:
    """By its own organisation, whatever the workflow has been told."""
    organisation = asked.house.organisation()
    named = organisation.model_copy(update={"break_glass": BreakGlass(roles=("cto",))})
    asked.house.people = named
    assert "devops-lead may not break the glass; cto may" in asked.refused(alone(asked))
    assert asked.apply(alone(asked, "cto")).outcome == "applied"


def test_whoever_has_a_key_on_a_token_uses_one(asked: Asked, tmp_path: Path) -> None:
    """A key in a file may be a copy; where somebody has no token that is good now, it will do."""
    file = generated(tmp_path, "ed25519")
    about = {"generation": 1, "at": NOW, "expires": NOW + HOUR}
    subject = of_break_glass(asked.plan.digest, WHY)
    claim = PEOPLE.claim("devops-lead", Act.BREAK_GLASS, subject, asked.where, STEP, **about)
    said = {"claim": claim.model_dump(mode="json"), "method": "ssh", "key": public(file).fingerprint}
    vote = Ballot(by="devops-lead", role="devops-lead", break_glass=WHY)
    vote.proof = {**said, "signature": signed(file, claim.canonical())}
    line = file.with_name(f"{file.name}.pub").read_text().strip()
    plain = RegisteredKey(contact="devops-lead", method="ssh", public=line, since=NOW - HOUR, by="cto")
    all_ = PEOPLE.keys()
    asked.house.keys = Register([*all_, plain])
    assert "sign with your hardware key" in asked.refused(vote)
    asked.house.keys = Register([plain, *(key for key in all_ if key.contact != "devops-lead")])
    request = PEOPLE.claim("devops-lead", Act.REQUEST, of_request(STEP, {}), asked.where, STEP)
    made = {"claim": request.model_dump(mode="json"), "method": "ssh", "key": public(file).fingerprint}
    asked.requested = Requested(proof={**made, "signature": signed(file, request.canonical())}, given={})
    assert asked.apply(vote).outcome == "applied"


@pytest.mark.parametrize("action", ["ecs.scale_service", "rds.resize_instance"])
def test_neither_narrow_nor_grave_changes(action: str) -> None:
    """A1 has its requester's own vote, A3 is nobody's alone."""
    with mock_aws():
        made = Asked(world_of(action))
        grade = made.plan.approval_class
        assert grade is not ApprovalClass.A2
        assert f"of class A2 alone; this one is {grade}" in made.refused(alone(made))
