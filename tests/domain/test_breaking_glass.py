"""Somebody decides a change alone: which ones, who, whom that pages, and who looks back at it."""

from typing import Any

import pytest

from activities.catalogue import CHANGES
from domain.config.approval import ApprovalClass
from domain.config.organisation import BreakGlass
from domain.model.activity_io import Applied
from domain.model.commands import BreakGlass as Broken
from domain.model.commands import CompleteTask, WaiveTask
from domain.model.records import ChangeStatus
from domain.rules import breaking_glass
from domain.rules.live import LiveIncident
from tests.activities.report_worlds import Played
from tests.builders import declaration, minutes, organisation, runbook
from tests.domain.changing import plan, say, waiting

WHY = "nobody answers since 03:10"
GLASS = BreakGlass(tells=("cto", "ceo"), reviewer="cto")
ALONE = organisation().model_copy(update={"break_glass": GLASS})


def glass(made: Any, by: str = "development-lead", digest: str | None = None) -> str | None:
    return say(made, "break_glass", Broken(by=by, digest=digest or plan().digest, reason=WHY))


def test_whoever_asked_for_it_may_decide_it_alone() -> None:
    """It is applied by that one vote, which says why, over the plan that stands and no other."""
    made = waiting()
    assert "the digest is not that of the plan" in str(glass(made, digest="ab" * 32))
    assert glass(made) is None
    (vote,) = made.record.approvals
    assert (made.record.status, vote.by, vote.decision, vote.break_glass) == (
        ChangeStatus.APPLYING,
        "development-lead",
        "approve",
        WHY,
    )
    assert glass(made, "cto") == "the change is applying already"


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "A1": ({"approval_class": ApprovalClass.A1}, {}, "of class A2 alone; this one is A1"),
    "A3": ({"approval_class": ApprovalClass.A3}, {}, "of class A2 alone; this one is A3"),
    "evidence": ({}, {"evidence": True}, "it touches evidence"),
    "accounts": ({"action": "cognito.disable_users"}, {}, "it touches who may do what"),
    "rights": ({"action": "iam.detach_policy"}, {}, "it touches who may do what"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_nobody_decides_alone(case: str) -> None:
    other, how, why = REFUSED[case]
    who = ALONE.contact("cto")
    assert who is not None
    assert why in str(breaking_glass.refusal(ALONE, who, plan(**other), **{"evidence": False, **how}))


def test_the_organisation_may_say_who() -> None:
    """Where it names roles, nobody else may; where it names none, every contact may."""
    named = ALONE.model_copy(update={"break_glass": BreakGlass(roles=("cto", "ceo"))})
    who = named.contact("development-lead")
    assert who is not None
    assert breaking_glass.refusal(ALONE, who, plan(), evidence=False) is None
    why = breaking_glass.refusal(named, who, plan(), evidence=False)
    assert why == "development-lead may not break the glass; cto or ceo may"


def test_everything_that_touches_accounts_is_called_so() -> None:
    """The rule goes by names: each change of people's accounts and rights has to have such a one."""
    of_people = {name for name, one in CHANGES.items() if one.__module__.startswith("activities.aws.identity.")}
    assert of_people == {name for name in CHANGES if name.startswith(breaking_glass.IDENTITIES)}
    assert len(of_people) >= 4


def test_who_is_paged_where_the_organisation_says_nothing() -> None:
    """Those who sign runbooks, and the last of the chain."""
    plain = organisation().model_copy(update={"runbook_approvers": ("cto", "privacy-officer")})
    assert breaking_glass.told(plain) == ("cto", "privacy-officer", "ceo")
    assert breaking_glass.told(ALONE) == ("cto", "ceo")


def played(**declared: Any) -> Played:
    """An incident in which the development lead breaks the glass over a rollback."""
    made = Played(declaration(**{"organisation": ALONE, **declared}))
    made.say("acknowledge", "development-lead", minutes(3))
    made.say("request_change", "development-lead", step="rollback")
    digest = made.plan("rollback")
    made.wait(minutes(1))
    command = Broken(by="development-lead", digest=digest, reason=WHY)
    made.changes["rollback"].hear("break_glass", command, made.now)
    made._told("rollback")
    return made


def test_it_pages_whom_it_must_and_nobody_else() -> None:
    before = len(_pages(played_until_asked().incident))
    made = played()
    new = _pages(made.incident)[before:]
    title = made.incident.state.changes[0].title
    told = f"glass broken by development-lead, who decides alone: {title}"
    assert new == [("cto", told), ("ceo", told)]


def test_somebody_else_hears_of_it_and_reviews_it() -> None:
    """Where nobody but whoever did it would be told: the chain and those on call are, and one of them reviews."""
    own = organisation().model_copy(update={"break_glass": BreakGlass(tells=("development-lead",))})
    made = played(organisation=own)
    told = [to for to, reason in _pages(made.incident) if reason.startswith("glass broken")]
    assert told == ["development-lead", "technical-manager", "cto", "ceo"]
    task = made.incident.state.task("review:rollback:1")
    assert (task.owner, task.review_of) == ("technical-manager", "development-lead")


def played_until_asked() -> Played:
    made = Played(declaration(organisation=ALONE))
    made.say("acknowledge", "development-lead", minutes(3))
    made.say("request_change", "development-lead", step="rollback")
    made.plan("rollback")
    return made


def _pages(incident: LiveIncident) -> list[tuple[str, str]]:
    return [(page.to, page.reason) for page in incident.state.pages]


def test_a_review_is_due_that_is_not_theirs_to_end() -> None:
    """Due in a day, mailed to its owner then and daily; whoever did it alone neither does nor waives it."""
    made = played()
    made.changes["rollback"].applied(Applied(outcome="applied", verified="3 of 3 tasks healthy"), made.now)
    made._told("rollback")
    state = made.incident.state
    task = state.task("review:rollback:1")
    broken_at = state.changes[0].approvals[0].at
    assert (task.owner, task.required, task.review_of) == ("cto", True, "development-lead")
    assert task.due_at == task.remind_at == broken_at + minutes(24 * 60)
    for command in (CompleteTask(by="development-lead", step=task.step), waived(task.step, "development-lead")):
        name = "complete_task" if isinstance(command, CompleteTask) else "waive_task"
        refused = made.incident.hear(name, command, made.now)
        assert refused == "development-lead broke the glass; somebody else must review it"
    assert "reviews are open" in str(made.say("false_alarm", "cto", reason="nothing was wrong"))
    made.incident.pass_time(broken_at + minutes(24 * 60))
    (mail,) = state.mails
    assert (mail.to, mail.subject.startswith("Overdue: Review of what development-lead did alone")) == ("cto", True)
    assert made.say("complete_task", "cto", step=task.step, note="it was right") is None
    assert state.task(task.step).status == "done"


def waived(step: str, by: str) -> WaiveTask:
    return WaiveTask(by=by, step=step, reason="no need")


def test_an_incident_does_not_close_over_an_open_review() -> None:
    made = played(runbook=runbook())
    made.changes["rollback"].applied(Applied(outcome="applied", verified="3 of 3 tasks healthy"), made.now)
    made._told("rollback")
    made.say("mitigated", "development-lead", summary="rolled back")
    made.say("resolve", "development-lead", summary="steady")
    for task in [task for task in made.incident.state.tasks if task.required and task.review_of is None]:
        made.say("complete_task", "cto", step=task.step, note="done")
    assert "review:rollback:1" in str(made.say("close", "development-lead"))
    made.say("waive_task", "ceo", step="review:rollback:1", reason="seen in the room")
    assert made.say("close", "development-lead") is None
