"""Whoever has to decide their own change in upkeep hears nothing."""

from tests.activities.report_worlds import Played
from tests.builders import declaration, minutes


def test_whoever_asked_for_a1_in_upkeep_is_reminded_by_mail() -> None:
    made = Played(declaration(mode="upkeep"))
    made.say("request_change", "development-lead", step="rollback")
    made.changes["rollback"].request = made.changes["rollback"].request.model_copy(update={"rule": None})
    made.plan("rollback", approval_class="A1")
    made.now += minutes(5)
    made.changes["rollback"].pass_time(made.now)  # half the time is over: asked again
    made._told("rollback")
    assert made.changes["rollback"].record.eligible == ["requester"]
    assert "development-lead" in {mail.to for mail in made.incident.state.mails}
