"""Exactly who is paged, and when, on the real server: both columns of the contract's table, and nothing else."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from statistics import median
from typing import Any

import pytest

from tests.e2e.house import House
from tests.e2e.waiting import until
from tests.e2e.workers import Worker

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-paging")]

SPEED = 80
LATE_MINUTES = 4
USUALLY_LATE_MINUTES = 1
"""How late pages may be, in policy minutes of 0.75 s; a busy machine's noise is in it."""

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
    begun = house.show(taken)
    until(lambda: _minute(begun, _now()) >= 2.5, "minute 3 comes")
    house.signal(taken, "acknowledge", by="devops-lead")
    due = until(lambda: _due(house.show(taken), "page cto"), "the chain waits for the progress clock")
    assert _minute(begun, due) == pytest.approx(30)
    until(lambda: _minute(begun, _now()) >= 62.5, "minute 62 comes", seconds=100)
    for incident, table in ((left, NOBODY_ACKNOWLEDGES), (taken, ACKNOWLEDGED_AT_3)):
        house.signal(incident, "false_alarm", by="devops-lead", reason="seen enough")
        state = house.ended(incident)
        delivered = house.outbox(incident)
        pages = [one for one in delivered if one["channel"] != "statuspage"]
        expected = Counter((minute, role) for minute, roles in table.items() for role in roles)
        assert _table(state, pages) == expected
        assert _table(state, state["pages"]) == expected
        _assert_in_waves(state)
        assert {one["channel"] for one in delivered} == {"sms", "email", "statuspage"}
    assert 0 < _minute(begun, house.show(taken)["acknowledged_at"]) < 5


def _due(state: dict[str, Any], what: str) -> str | None:
    """When something is due by itself, once the incident is acknowledged."""
    if state["status"] != "acknowledged":
        return None
    return next((one["at"] for one in state["due"] if one["what"] == what), None)


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _table(state: dict[str, Any], pages: Iterable[dict[str, Any]]) -> Counter[tuple[int, str]]:
    """Count pages by policy minute and role; one that comes between the re-page intervals fails."""
    found: Counter[tuple[int, str]] = Counter()
    for page in pages:
        minute = _minute(state, page["at"])
        due = int(minute // 5 * 5)
        assert minute - due < LATE_MINUTES, f"{page['role']} is paged at minute {minute:.2f}"
        found[due, page["role"]] += 1
    return found


def _assert_in_waves(state: dict[str, Any]) -> None:
    """Fail unless those of one minute are paged at one instant, and usually within that minute."""
    waves = sorted({_minute(state, page["at"]) for page in state["pages"]})
    assert len(waves) == len({minute // 5 for minute in waves})
    assert median(minute % 5 for minute in waves) < USUALLY_LATE_MINUTES


def _minute(state: dict[str, Any], at: str) -> float:
    """How many policy minutes after its declaration."""
    since = datetime.fromisoformat(at) - datetime.fromisoformat(state["declared_at"])
    return since.total_seconds() / 60 * SPEED
