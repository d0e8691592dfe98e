"""Who commanded when they voted, and what names a role of its own."""

from domain.config.approval import ApprovalRule
from domain.config.organisation import COMMANDER
from domain.model.activity_io import Ballot
from domain.rules.change import LiveChange
from domain.rules.judging import refused_votes
from domain.rules.voting import Electorate, commanding
from tests.builders import T0, minutes
from tests.domain.changing import approve, waiting


def by_the_hands(made: LiveChange) -> str | None:
    """What the hands say to what the change asks of them now (`workflows.change_calls`)."""
    request, record = made.request, made.record
    rule = request.rule
    assert rule is not None
    electorate = Electorate(
        request.organisation, rule, record.requested_by, commanding(made.votes(), made.commander), tuple(record.added)
    )
    return refused_votes(electorate, [Ballot(by=vote.by, role=vote.role) for vote in made.votes()])


def test_what_the_commander_approved_goes_on_though_command_is_handed_over_before_it_begins() -> None:
    """It waits for evidence that comes first, five minutes at most."""
    made = waiting(rule=ApprovalRule(roles=(COMMANDER,), quorum=1), commander="devops-lead")
    assert approve(made, "devops-lead") is None
    assert made.record.status == "applying"
    assert by_the_hands(made) is None
    made.commander_is("cto", T0 + minutes(2), T0 + minutes(2))
    assert by_the_hands(made) is None


def test_two_votes_that_suffice_suffice_for_the_hands_though_command_was_handed_over_between_them() -> None:
    rule = ApprovalRule(roles=(COMMANDER, "technical-manager"), quorum=2)
    made = waiting(rule=rule, commander="devops-lead")
    assert approve(made, "devops-lead") is None
    made.commander_is("cto", T0 + minutes(2), T0 + minutes(2))
    assert approve(made, "technical-manager", 3) is None
    assert made.record.status != "applying" or by_the_hands(made) is None
