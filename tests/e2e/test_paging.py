"""Exactly who is paged, and when, on the real server: both columns of the contract's table, and nothing else."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.house import House
from tests.e2e.waiting import until
from tests.e2e.workers import Worker

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-paging")]

SPEED = 100
LATE_MINUTES = 1.5
"""How late a page may be, in policy minutes; starting an incident, server and delivery are all in it."""

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
    """A P0 pages whom the table names at its minutes, acknowledged or not; the only other deliveries are public."""
    left = house.start("Nobody is there", "--speed", str(SPEED))
    taken = house.start("Acknowledged, never mitigated", "--speed", str(SPEED))
    until(lambda: _minute(house.show(taken), datetime.now().astimezone()) >= 2.5, "minute 3 comes")
    house.signal(taken, "acknowledge", by="devops-lead")
    until(lambda: _minute(house.show(taken), datetime.now().astimezone()) >= 62, "minute 62 comes", seconds=100)
    for incident, table in ((left, NOBODY_ACKNOWLEDGES), (taken, ACKNOWLEDGED_AT_3)):
        house.signal(incident, "false_alarm", by="devops-lead", reason="seen enough")
        until(lambda one=incident: house.show(one)["status"] == "false-alarm", "the incident ends")  # type: ignore[misc]
        state, delivered = house.show(incident), house.outbox(incident)
        pages = [one for one in delivered if one["channel"] != "statuspage"]
        expected = Counter((minute, role) for minute, roles in table.items() for role in roles)
        assert _table(state, pages) == expected
        assert _table(state, state["pages"]) == expected
        assert {one["channel"] for one in delivered} == {"sms", "email", "statuspage"}
    assert 0 < _minute(house.show(taken), datetime.fromisoformat(house.show(taken)["acknowledged_at"])) < 5


def _table(state: dict[str, Any], pages: Iterable[dict[str, Any]]) -> Counter[tuple[int, str]]:
    """Count pages by policy minute and role; a page that is no whole number of re-page intervals old fails."""
    found: Counter[tuple[int, str]] = Counter()
    for page in pages:
        minute = _minute(state, datetime.fromisoformat(page["at"]))
        due = int(minute // 5 * 5)
        print(f"LATE {minute-due:.3f}"); assert minute - due < LATE_MINUTES, f"{page['role']} is paged at minute {minute:.2f}"
        found[due, page["role"]] += 1
    return found


def _minute(state: dict[str, Any], at: datetime) -> float:
    """How many policy minutes after its declaration."""
    return (at - datetime.fromisoformat(state["declared_at"])).total_seconds() / 60 * SPEED
