"""Ways to break the glass of which nobody is paged, or that nobody looks back at."""

from domain.model.activity_io import Ballot, ChangeOutcome
from domain.model.commands import Approve
from domain.model.commands import BreakGlass as Broken
from domain.rules import change_outcomes
from tests.activities.report_worlds import Played
from tests.builders import declaration, minutes
from tests.domain.test_breaking_glass import ALONE, WHY, _pages


def asked() -> Played:
    made = Played(declaration(organisation=ALONE))
    made.say("acknowledge", "development-lead", minutes(3))
    made.say("request_change", "development-lead", step="rollback")
    made.plan("rollback")
    made.wait(minutes(1))
    return made


def test_what_the_hands_have_on_record_of_broken_glass_pages_and_is_reviewed() -> None:
    """Its change's workflow is gone (ended from outside, or lost with the server) before the incident heard of it."""
    made = asked()
    record = made.incident.state.changes[0]
    vote = Ballot(by="development-lead", role="development-lead", break_glass=WHY)
    found = ChangeOutcome(outcome="verified", message="3 of 3", votes=(vote,), plan=record.plan)
    before = len(made.incident.state.pages)
    made.incident.take(change_outcomes.found(made.incident.state, record.workflow_id, found), made.now)
    assert record.approvals[-1].break_glass == WHY
    assert {to for to, why in _pages(made.incident)[before:] if "glass broken" in why} == {"cto", "ceo"}
    assert [one.step for one in made.incident.state.open_tasks() if one.review_of] == ["review:rollback:1"]


def _broken(made: Played, by: str = "development-lead") -> None:
    change = made.changes["rollback"]
    assert change.record.plan
    command = Broken(by=by, digest=change.record.plan.digest, reason=WHY)
    assert change.hear("break_glass", command, made.now) is None
    made._told("rollback")


def test_glass_that_is_broken_in_upkeep_is_told_somebody_at_once() -> None:
    """Upkeep pages nobody: then a mail has to say it."""
    made = Played(declaration(organisation=ALONE, mode="upkeep"))
    made.say("request_change", "development-lead", step="rollback")
    made.plan("rollback")
    before = {mail.to for mail in made.incident.state.mails if "glass" in mail.subject}
    _broken(made)
    state = made.incident.state
    assert made.changes["rollback"].record.status == "applying"
    heard = {page.to for page in state.pages} | {mail.to for mail in state.mails if "glass" in mail.subject} - before
    assert {"cto", "ceo"} <= heard


def test_whoever_looks_back_at_it_is_somebody_else() -> None:
    """The CTO breaks it, who alone holds the role that reviews: the reminder goes to somebody who may end it."""
    made = asked()
    _broken(made, "cto")
    made.wait(minutes(24 * 60))
    mails = {mail.to for mail in made.incident.state.mails if "Review" in mail.subject}
    assert mails - {"cto"}, mails


def test_somebody_else_hears_of_it_where_the_only_role_that_is_told_is_theirs() -> None:
    alone = ALONE.model_copy(update={"break_glass": ALONE.break_glass.model_copy(update={"tells": ("cto",)})})
    made = Played(declaration(organisation=alone))
    made.say("acknowledge", "development-lead", minutes(3))
    made.say("request_change", "development-lead", step="rollback")
    made.plan("rollback")
    before = len(made.incident.state.pages)
    _broken(made, "cto")
    assert {to for to, _ in _pages(made.incident)[before:]} - {"cto"}


def test_whoever_has_approved_with_others_and_then_decides_alone_is_heard() -> None:
    """One of two has approved, the other does not answer: the second vote is another than the first."""
    made = Played(declaration(organisation=ALONE))
    made.say("acknowledge", "development-lead", minutes(3))
    made.say("request_change", "development-lead", step="promote")
    change = made.changes["promote"]
    digest = made.plan("promote")
    assert change.record.window is not None
    assert change.hear("approve", Approve(by="cto", digest=digest), made.now) is None
    _hear(made, "promote")
    assert change.record.status == "awaiting-approval"
    before = len(made.incident.state.pages)
    made.wait(minutes(1))
    assert change.hear("break_glass", Broken(by="cto", digest=digest, reason=WHY), made.now) is None
    _hear(made, "promote")
    state = made.incident.state
    assert state.changes[0].status == "applying"
    assert [vote.break_glass for vote in state.changes[0].approvals] == [None, WHY]
    assert "ceo" in {to for to, why in _pages(made.incident)[before:] if "glass broken" in why}
    assert [task.step for task in state.open_tasks() if task.review_of] == ["review:promote:1"]


def _hear(made: Played, step: str) -> None:
    """As the incident's workflow hears its change."""
    news = made.changes[step].news()
    assert news is not None
    assert made.incident.hear_change(news, made.now) is None
