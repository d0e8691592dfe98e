"""How long people have for a decision, who is paged meanwhile, and what comes when nobody decides."""

from domain.model.activity_io import Planned
from domain.model.records import ChangeStatus
from domain.rules.change import LiveChange
from tests.builders import T0, minutes
from tests.domain.changing import approve, change, heard, people, plan, waiting


def pages(made: LiveChange, until: float) -> dict[float, list[str]]:
    """Whom the change asks at which minute, fired at its own due instants."""
    asked: dict[float, list[str]] = {}
    made.planned(Planned(plan=plan("A2")), T0)
    if page := heard(made).page:
        asked[0] = page
    while (due := made.next_due()) is not None and due <= T0 + minutes(until):
        made.pass_time(due)
        if page := heard(made).page:
            asked[(due - T0) / minutes(1)] = page
    return asked


def test_the_voters_are_paged_at_once_at_half_time_and_at_every_rise() -> None:
    """At half of a window its voters are paged again; at its end the next of the chain joins, until it is exhausted."""
    made = change(commander="devops-lead")
    first = ["devops-lead", "technical-manager"]
    assert pages(made, 100) == {
        0: first,
        5: first,
        10: [*first, "cto"],
        15: [*first, "cto"],
        20: [*first, "cto", "ceo"],
        25: [*first, "cto", "ceo"],
    }
    assert (made.record.status, made.record.reason) == (ChangeStatus.EXPIRED, "nobody decided in time")
    assert made.record.eligible == []


def test_the_end_is_told() -> None:
    """Each level that joins is an entry, each has a window of its own, and the last one expires."""
    made = waiting()
    for minute in (5, 10):
        made.pass_time(T0 + minutes(minute))
    told = heard(made)
    assert told.texts == [
        "Approval still needed: Roll back (incident-commander or technical-manager)",
        "No decision in time: cto may decide too",
    ]
    assert told.page_reason == "approval escalated: Roll back"
    assert made.record.window is not None
    assert made.record.window.ends_at == T0 + minutes(20)
    assert made.record.eligible == ["incident-commander", "technical-manager", "cto"]
    for minute in (15, 20, 25, 30):
        made.pass_time(T0 + minutes(minute))
    assert heard(made).kinds == ["change"]
    assert made.record.status is ChangeStatus.EXPIRED
    assert approve(made, "ceo", 31) == "the change is expired"


def test_who_joined_may_decide() -> None:
    """The level that a passed window adds may vote, and not before."""
    made = waiting()
    assert "may not decide" in str(approve(made, "cto", 9))
    made.pass_time(T0 + minutes(10))
    assert approve(made, "cto", 11) is None
    assert made.record.status is ChangeStatus.APPLYING
    assert made.next_due() is None


def test_who_has_voted_is_not_paged_again() -> None:
    """Reminders go only to those whose vote is still missing."""
    made = waiting("A3")
    approve(made, "cto", 2)
    made.pass_time(T0 + minutes(5))
    assert heard(made).page == ["devops-lead"]


def test_the_requester_is_never_asked() -> None:
    """Whoever asked for a change is not paged for it, as the commander, as a manager or further up."""
    house = people(second=["technical-manager"])
    for requester in ("devops-lead", "technical-manager", "cto", "ceo"):
        asked = pages(change(requested_by=requester, organisation=house), 100)
        assert asked
        assert all(requester not in page for page in asked.values())


def test_a_late_wake_up_goes_on_from_there() -> None:
    """A worker that slept through a window pages once, and the added level has its whole time from then on."""
    made = waiting()
    made.pass_time(T0 + minutes(37))
    told = heard(made)
    assert told.page == ["devops-lead", "technical-manager", "cto"]
    assert made.record.window is not None
    assert made.record.window.ends_at == T0 + minutes(47)
    assert made.next_due() == T0 + minutes(42)
    assert not made.ended


def test_nothing_is_due_while_nobody_is_asked() -> None:
    """Before the plan and after the decision no window runs, and waking up changes nothing."""
    made = change()
    assert made.next_due() is None
    made.pass_time(T0 + minutes(100))
    assert heard(made).kinds == []
    made.planned(Planned(plan=plan()), T0)
    approve(made, "technical-manager")
    heard(made)
    made.pass_time(T0 + minutes(100))
    assert (heard(made).page, made.record.status) == ([], ChangeStatus.APPLYING)
