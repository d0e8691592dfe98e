"""Who is asked to decide on a plan is told which one, by step, generation and digest; nobody else is."""

from domain.model.activity_io import PlanNamed
from domain.model.records import Mail
from domain.model.state import IncidentState
from domain.rules.evolve import fold
from domain.rules.messages import plan_named
from tests.activities.report_worlds import outage


def state() -> IncidentState:
    return fold(outage())


def mail(step: str) -> Mail:
    return Mail(number=1, step=step, to="technical-manager", role="technical-manager", subject="approval needed")


def test_pages_name_the_plan_that_they_are_about() -> None:
    """Those that ask for an approval, and no other."""
    told = state()
    digests = {change.step: change.plan.digest for change in told.changes if change.plan}
    named = {
        "approval needed: Roll back": PlanNamed(step="rollback", generation=1, digest=digests["rollback"]),
        "approval needed: Promote": PlanNamed(step="promote", generation=1, digest=digests["promote"]),
    }
    reasons = {page.reason for page in told.pages}
    assert named.keys() < reasons
    assert [plan_named(told, page) for page in told.pages] == [named.get(page.reason) for page in told.pages]


def test_a_mail_that_asks_for_an_approval_names_the_newest_plan() -> None:
    """That is how upkeep asks; a mail about a task or a duty names none."""
    plan = state().changes[0].plan
    assert plan is not None
    assert plan_named(state(), mail("rollback")) == PlanNamed(step="rollback", generation=1, digest=plan.digest)
    assert [plan_named(state(), mail(step)) for step in ("assess", "statement")] == [None, None]


def test_a_change_that_has_no_plan_yet_names_none() -> None:
    asked = next(entry for entry in outage() if entry.kind == "change-requested")
    begun = fold([entry for entry in outage() if entry.seq <= asked.seq])
    assert begun.changes[0].plan is None
    assert plan_named(begun, mail("rollback")) is None
