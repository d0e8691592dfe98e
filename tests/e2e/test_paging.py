"""Exactly who is paged, and when, on the real server: both columns of the contract's table, and nothing else."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.house import Document, House
from tests.e2e.workers import Worker
from tests.waiting import Lateness, lateness, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("e2e-paging")]

SPEED = 40
MINUTE = timedelta(minutes=1) / SPEED
EVERY = 5
LATE = 1
"""How late a page may be by the record, which is the server's own time, in policy minutes."""
DELIVERED = timedelta(seconds=4)
"""How long after that it may be delivered, in real time, but for what the machine kept everybody waiting meanwhile."""
NEXT_DUE = EVERY * MINUTE
"""By then it is delivered, whatever the machine does."""

LEADS = ("devops-lead", "development-lead", "security-lead", "technical-manager")
FIVE = (*LEADS, "cto")
SIX = (*FIVE, "ceo")
NOBODY_ACKNOWLEDGES: dict[int, tuple[str, ...]] = {
    **dict.fromkeys((0, 5, 10), LEADS),
    **dict.fromkeys((15, 20, 25), FIVE),
    **dict.fromkeys((30, 35, 40, 45, 50, 55, 60), SIX),
}
ACKNOWLEDGED_AT_3: dict[int, tuple[str, ...]] = {0: LEADS, 30: ("cto",), 60: ("ceo",)}


def test_pages_are_those_of_the_table_and_no_other(house: House, worker: Worker) -> None:
    """A P0 pages whom the table names within its minutes, acknowledged or not; all else that is sent is public."""
    _warmed(house)
    with lateness() as machine:
        left = house.start("Nobody is there", "--speed", str(SPEED))
        taken = house.start("Acknowledged, never mitigated", "--speed", str(SPEED))
        begun = {incident: house.state(incident) for incident in (left, taken)}
        until(lambda: _minute(begun[taken], _now()) >= 3, "minute 3 comes")
        house.asking.update(taken, "acknowledge", by="devops-lead")
        due = {one["what"]: one["at"] for one in house.state(taken)["due"]}
        assert _minute(begun[taken], due["page cto"]) == pytest.approx(30)
        until(lambda: _minute(begun[taken], _now()) >= 60 + LATE, "minute 61 comes", seconds=120)
        for incident in (left, taken):  # before minute 65, when the leads would be paged again
            house.asking.update(incident, "false_alarm", by="devops-lead", reason="seen enough")
        for incident, table in ((left, NOBODY_ACKNOWLEDGES), (taken, ACKNOWLEDGED_AT_3)):
            state = house.ended(incident)
            expected = Counter((minute, role) for minute, roles in table.items() for role in roles)
            assert Counter((_slot(state, page), page["role"]) for page in state["pages"]) == expected
            _assert_delivered(house, incident, state["pages"], machine)
    assert 3 <= _minute(begun[taken], house.show(taken)["acknowledged_at"]) < 5
    assert house.show(left)["acknowledged_at"] is None


def _warmed(house: House) -> None:
    """A worker that has just been started takes a second for its first incident: that is none of the clock's."""
    first = house.start("The first of all")
    house.until(first, "its pages are out", lambda state: state["pages"])
    house.asking.update(first, "false_alarm", by="devops-lead", reason="it was none")
    house.ended(first)


def _slot(state: Document, page: Document) -> int:
    """The minute that a page is of, by the server's time; one that comes between the intervals fails."""
    minute = _minute(state, page["at"])
    slot = int(minute // EVERY * EVERY)
    assert minute - slot < LATE, f"{page['role']} is paged at minute {minute:.2f}"
    return slot


def _assert_delivered(house: House, incident: str, pages: list[Document], machine: Lateness) -> None:
    """Fail unless each page of the record was delivered once, soon, and nothing else was but public posts."""

    def delivered() -> list[Document]:
        return [one for one in house.outbox(incident) if one["channel"] != "statuspage"]

    until(lambda: len(delivered()) >= len(pages), "the last pages are delivered")
    by_role: dict[str, list[Document]] = {}
    for one in delivered():
        assert one["channel"] in {"sms", "email"}
        by_role.setdefault(one["role"], []).append(one)
    for role, came in by_role.items():
        recorded = [page for page in pages if page["role"] == role]
        assert len(came) == len(recorded), role
        for page, one in zip(recorded, came, strict=True):
            due, came_at = (datetime.fromisoformat(at["at"]) for at in (page, one))
            after, kept = came_at - due, machine.between(due, came_at)
            assert timedelta(0) <= after < NEXT_DUE, f"{role} gets the page of {due} {after} later"
            assert after - kept < DELIVERED, f"{role} gets the page of {due} {after} later, of which {kept} was noise"


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _minute(state: Document, at: str) -> float:
    """How many policy minutes after its declaration."""
    return (datetime.fromisoformat(at) - datetime.fromisoformat(state["declared_at"])) / MINUTE
