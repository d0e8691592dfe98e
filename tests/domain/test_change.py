"""The rules of one change: who may say yes to what, and what every answer leads to."""

from typing import Any

import pytest

from domain.config.approval import ApprovalRule
from domain.model.activity_io import Applied, Planned
from domain.model.commands import Approve, Cancel, Reject
from domain.model.events import ORCHESTRATOR
from domain.model.records import ChangeStatus
from domain.rules.change import LiveChange
from tests.builders import T0, minutes
from tests.domain.changing import ARN, approve, change, heard, people, plan, say, waiting

BOTH = ApprovalRule(roles=("cto", "devops-lead"), quorum=2)


@pytest.mark.parametrize(
    ("by", "given", "reason"),
    [
        ("technical-manager", {}, None),
        ("devops-lead", {}, None),
        ("incident-commander", {}, None),
        ("development-lead", {}, "requested this change"),
        ("cto", {}, "may not decide this; incident-commander or technical-manager may"),
        ("privacy-officer", {}, "may not decide"),
        ("insurer", {}, "no contact or role of example"),
        ("a-stranger", {}, "no contact or role of example"),
        ("incident-commander", {"commander": None}, "no contact or role of example"),
        ("devops-lead", {"commander": None}, "may not decide"),
        # the requester commands: the manager decides, as either of the two roles
        ("technical-manager", {"requested_by": "devops-lead"}, None),
        ("devops-lead", {"requested_by": "devops-lead"}, "requested this change"),
        ("incident-commander", {"requested_by": "devops-lead"}, "requested this change"),
        ("cto", {"requested_by": "devops-lead"}, "may not decide"),
        # the requester manages: the CTO stands in
        ("cto", {"requested_by": "technical-manager"}, None),
        ("ceo", {"requested_by": "technical-manager"}, "may not decide"),
        # the requester does both
        ("cto", {"requested_by": "technical-manager", "commander": "technical-manager"}, None),
    ],
)
def test_who_may_approve_an_a2(by: str, given: dict[str, Any], reason: str | None) -> None:
    """One vote of the commander or the manager, or of whoever stands in, suffices; anybody else is told why not."""
    made = waiting("A2", **given)
    answer = approve(made, by)
    if reason is None:
        assert answer is None
        assert made.record.status is ChangeStatus.APPLYING
        assert len(made.record.approvals) == 1
    else:
        assert reason in str(answer)
        assert made.record.status is ChangeStatus.AWAITING_APPROVAL
        assert made.record.approvals == []
        told = heard(made)
        assert (told.kinds, told.actors) == (["refused"], [by])


@pytest.mark.parametrize(
    ("requested_by", "voters"),
    [
        ("development-lead", ["cto", "devops-lead"]),
        ("cto", ["ceo", "devops-lead"]),
        ("devops-lead", ["cto", "technical-manager"]),
    ],
)
def test_an_a3_needs_two(requested_by: str, voters: list[str]) -> None:
    """Two distinct people decide an A3; for the CTO the CEO stands in, for the DevOps lead the manager."""
    made = change(requested_by=requested_by)
    made.planned(Planned(plan=plan("A3")), T0)
    asked = heard(made)
    assert asked.page == voters
    assert set(voters) <= set(asked.texts[-1].partition("(2 of ")[2].rstrip(")").split(", "))
    assert approve(made, voters[0]) is None
    assert made.next_due() is not None
    assert "has voted already" in str(approve(made, voters[0]))
    assert "requested this change" in str(approve(made, requested_by))
    assert approve(made, voters[1]) is None
    assert made.record.status is ChangeStatus.APPLYING
    assert [(vote.by, vote.role, vote.decision) for vote in made.record.approvals] == [
        (voter, voter, "approve") for voter in voters
    ]


def test_the_ceo_who_asks_is_stood_in_for_from_below() -> None:
    """The top of the chain has nobody above: the next one below decides."""
    made = waiting(requested_by="ceo", rule=ApprovalRule(roles=("ceo",), quorum=1))
    assert approve(made, "technical-manager") is not None
    assert approve(made, "cto") is None


def test_a_quorum_needs_distinct_roles_too() -> None:
    """Two people of one role are not two who agree, and one person with two roles is one."""
    house = people(second_cto=["cto"], both=["cto", "devops-lead"])
    made = waiting("A3", organisation=house, rule=BOTH)
    assert approve(made, "cto") is None
    assert "every role of second-cto has voted already" in str(approve(made, "second-cto"))
    assert approve(made, "both") is None
    assert [vote.role for vote in made.record.approvals] == ["cto", "devops-lead"]
    alone = waiting("A3", organisation=house, rule=BOTH)
    assert approve(alone, "both") is None
    assert "has voted already" in str(approve(alone, "both"))
    assert alone.record.status is ChangeStatus.AWAITING_APPROVAL


def test_the_runbook_decides_over_the_class() -> None:
    """A rule in the runbook replaces what the class asks for, for a graver class as well."""
    made = waiting("A3", rule=ApprovalRule(roles=("privacy-officer",), quorum=1))
    assert approve(made, "cto") is not None
    assert approve(made, "privacy-officer") is None
    assert made.record.status is ChangeStatus.APPLYING


def test_an_a1_is_its_requesters_to_decide() -> None:
    """A narrow reversible change waits for whoever asked for it, and for nobody else, until their time is up."""
    made = change()
    made.planned(Planned(plan=plan("A1")), T0)
    assert (made.record.status, made.record.eligible) == (ChangeStatus.AWAITING_APPROVAL, ["requester"])
    assert approve(made, "technical-manager") == "technical-manager may not decide this; requester may"
    assert approve(made, made.record.requested_by, digest=plan("A1").digest) is None
    assert made.record.status is ChangeStatus.APPLYING
    late = change()
    late.planned(Planned(plan=plan("A1")), T0)
    late.pass_time(T0 + late.request.approve_within)
    assert (late.record.status, late.record.added) == (ChangeStatus.EXPIRED, [])


def test_evidence_that_begins_by_itself_waits_for_nobody() -> None:
    """What the orchestrator asks for by itself has no requester who could decide it."""
    made = change(requested_by=ORCHESTRATOR)
    made.planned(Planned(plan=plan("A1")), T0)
    assert (made.record.status, heard(made).page) == (ChangeStatus.APPLYING, [])


def test_only_the_digest_of_the_plan_counts() -> None:
    """A vote for any other plan is refused and names the digest that stands."""
    made = waiting()
    reason = approve(made, "technical-manager", digest=plan(summary="another").digest)
    assert made.record.plan is not None
    assert made.record.plan.digest in str(reason)
    assert approve(made, "technical-manager", digest="") is not None
    assert made.record.status is ChangeStatus.AWAITING_APPROVAL


def test_a_vote_is_on_record() -> None:
    """An approval tells who, as what, when, of which digest, and that the identity was not verified."""
    made = waiting()
    command = Approve(by="incident-commander", digest=plan().digest, comment="go")
    assert say(made, "approve", command, 3) is None
    vote = made.record.approvals[0]
    assert (vote.by, vote.role, vote.at) == ("devops-lead", "incident-commander", T0 + minutes(3))
    assert (vote.verified, vote.comment) == (False, "go")
    told = heard(made)
    assert (told.kinds[0], told.actors[0], told.data[0]["digest"]) == ("approval", "devops-lead", plan().digest)


def test_one_rejection_ends_it() -> None:
    """Whoever may approve may reject, after an approval too; then nobody can approve any more."""
    made = waiting("A3")
    assert approve(made, "cto") is None
    assert "may not decide" in str(say(made, "reject", Reject(by="security-lead", reason="no")))
    assert say(made, "reject", Reject(by="devops-lead", reason="wrong service")) is None
    assert made.record.status is ChangeStatus.REJECTED
    assert made.record.reason == "devops-lead (devops-lead) rejects: wrong service"
    assert [vote.decision for vote in made.record.approvals] == ["approve", "reject"]
    assert approve(made, "technical-manager") == "the change is rejected"
    assert made.next_due() is None


def test_a_cancellation_by_anybody_known() -> None:
    """Any contact, the requester too, cancels what is not applied yet; a stranger does not."""
    made = waiting()
    assert say(made, "cancel", Cancel(by="a-stranger", reason="no")) is not None
    assert say(made, "cancel", Cancel(by="development-lead", reason="found better")) is None
    assert made.record.status is ChangeStatus.CANCELLED
    assert "development-lead cancels: found better" in str(made.record.reason)
    applying = waiting()
    approve(applying, "technical-manager")
    assert say(applying, "cancel", Cancel(by="development-lead", reason="late")) == "the change is applying already"


def test_an_early_vote_is_kept_and_counted() -> None:
    """A vote that comes before its plan is kept, and counts if it names the plan's digest."""
    made = change()
    assert approve(made, "technical-manager", digest=plan().digest) is None
    assert (made.record.status, made.record.approvals) == (ChangeStatus.PLANNING, [])
    made.planned(Planned(plan=plan()), T0)
    assert made.record.status is ChangeStatus.APPLYING
    assert heard(made).kinds == ["early", "plan", "approval", "change"]


@pytest.mark.parametrize("end", ["wrong digest", "nothing to do", "cannot be planned", "cancelled"])
def test_an_early_vote_is_never_lost(end: str) -> None:
    """A vote that came early and does not count is refused on record, however planning ends."""
    made = change()
    approve(made, "technical-manager", digest="0" * 64)
    if end == "wrong digest":
        made.planned(Planned(plan=plan()), T0)
    elif end == "nothing to do":
        made.planned(Planned(plan=plan(after={"revision": 8})), T0)
    elif end == "cannot be planned":
        made.failed("NotFound: no such service", T0)
    else:
        say(made, "cancel", Cancel(by="cto", reason="r"))
    told = heard(made)
    assert [who for kind, who in zip(told.kinds, told.actors, strict=True) if kind == "refused"] == [
        "technical-manager"
    ]
    assert made.record.early == []


def test_a_new_commander_may_vote() -> None:
    """Who takes command while votes are awaited may vote as the commander; who lost it may not."""
    made = waiting(commander=None)
    assert approve(made, "security-lead") is not None
    made.commander_is("security-lead", T0)
    assert approve(made, "security-lead") is None
    assert made.record.approvals[0].role == "incident-commander"


def test_an_earlier_commander_that_is_said_again_commands_no_more() -> None:
    """Nor in a later run, nor one who commanded before the change was asked for."""
    made = waiting(commander=None)
    made.commander_is("cto", T0, T0 - minutes(1))
    assert made.commander is None
    made.commander_is("devops-lead", T0 + minutes(5), T0 + minutes(5))
    made.commander_is("security-lead", T0 + minutes(9), T0 + minutes(9))
    later = LiveChange(made.next_run(T0 + minutes(10), by_signal=False, wait_for_evidence=None))
    for one in (made, later):
        one.commander_is("devops-lead", T0 + minutes(11), T0 + minutes(5))
        assert one.commander == "security-lead"


@pytest.mark.parametrize(("ours", "said"), [(True, "our own doing"), (False, "not our doing")])
def test_nothing_to_change_asks_nobody(ours: bool, said: str) -> None:
    """A plan that changes nothing is done already, and tells whose doing that is."""
    made = change()
    made.planned(Planned(plan=plan(after={"revision": 8}), ours=ours), T0)
    assert (made.record.status, made.record.ours) == (ChangeStatus.ALREADY_DONE, ours)
    assert made.record.reason == f"{ARN} is so already ({said})"
    assert heard(made).page == []


def test_a_dry_run_ends_with_the_plan() -> None:
    """Nobody is asked and nothing applied, not even what needs no approval."""
    for approval_class in ("A1", "A2", "A3"):
        made = change(mode="dry-run")
        made.planned(Planned(plan=plan(approval_class)), T0)
        assert made.record.status is ChangeStatus.PLANNED
        assert heard(made).page == []


@pytest.mark.parametrize(
    ("applied", "status", "ours"),
    [
        (Applied(outcome="applied"), ChangeStatus.VERIFYING, True),
        (Applied(outcome="already-done", ours=True), ChangeStatus.VERIFYING, True),
        (Applied(outcome="already-done", ours=False), ChangeStatus.ALREADY_DONE, False),
        (Applied(outcome="stale", observed={"revision": 9}), ChangeStatus.STALE, None),
    ],
)
def test_what_applying_leads_to(applied: Applied, status: ChangeStatus, ours: bool | None) -> None:
    """What we did is verified; what somebody else did ends it, and drift ends it with what was seen."""
    made = waiting()
    approve(made, "technical-manager")
    heard(made)
    made.applied(applied, T0 + minutes(2))
    assert (made.record.status, made.record.ours) == (status, ours)
    data = heard(made).data[-1]
    assert data.get("observed") == (applied.observed if status is ChangeStatus.STALE else None)


def test_a_failure_tells_whether_access_was_denied_once() -> None:
    """A denied call is told to the incident once, with the failure."""
    made = waiting()
    made.failed("AccessDenied: no", T0, denied=True)
    assert (made.record.status, made.record.reason) == (ChangeStatus.FAILED, "AccessDenied: no")
    assert heard(made).denied
    assert not heard(made).denied
