"""What stand-ins can do to honest people, and to the size of what is said."""

from datetime import timedelta

from domain.model.commands import Delegate
from domain.model.effects import TellChanges
from domain.values import limits
from tests.activities.report_worlds import Played
from tests.builders import T0, declaration, minutes
from tests.delegating import HOUR, delegation
from tests.domain.test_delegated_changes import promoting
from tests.domain.test_delegating import pages

DAY = timedelta(days=1)


def test_no_number_of_delegations_is_more_than_a_change_can_be_told() -> None:
    """Each is over long ago, so that no two are twins: every one of them is told to every change, and for ever.

    Of some 1,100 the signal is larger than `limits.NEWS`, of some 2,200 than Temporal takes: the task fails for ever.
    """
    played = promoting()
    for number in range(100):
        since = T0 - timedelta(days=80) + timedelta(minutes=number * 2)
        one = delegation(at=T0 - timedelta(days=81), since=since, until=since + minutes(1), reason="r" * 500)
        if played.incident.hear("delegate", Delegate(by=one.by, delegation=one), T0 + minutes(5)) is not None:
            break
    told = [effect for effect in played.incident.effects if isinstance(effect, TellChanges)]
    assert limits.size(told[-1].payload) < 2 * limits.DELEGATIONS


def test_a_stand_in_who_begins_while_an_incident_is_resolved_is_not_paged() -> None:
    """Nobody is paged for it any more: who held the role is not either."""
    played = Played(declaration(delegations=(delegation(since=T0 + 10 * HOUR, until=T0 + 20 * HOUR),)))
    played.say("acknowledge", "development-lead")
    played.say("mitigated", "development-lead", summary="x")
    played.say("resolve", "development-lead", summary="x")
    before = len(played.entries)
    played.wait(12 * HOUR)
    assert pages(played.incident, before) == []
