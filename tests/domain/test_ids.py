"""Names that are given once and mean the same for ever."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.values import ids
from tests.builders import T0

INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SLOT = timedelta(days=1) / 36**4


@given(INSTANTS, st.integers(0, 36**4 - 1))
def test_incident_ids_are_readable(at: datetime, attempt: int) -> None:
    """An id holds the day of its declaration and four letters or digits."""
    assert re.fullmatch(r"inc-\d{8}-[0-9a-z]{4}", ids.incident_id(at, attempt))
    assert ids.incident_id(at).startswith(f"inc-{at:%Y%m%d}-")


@given(INSTANTS, INSTANTS)
def test_incident_ids_are_in_order_of_time(one: datetime, other: datetime) -> None:
    """Sorted by their ids, incidents stand in the order in which they were declared."""
    earlier, later = sorted([one, other])
    assert ids.incident_id(earlier) <= ids.incident_id(later)
    if later - earlier > SLOT:
        assert ids.incident_id(earlier) < ids.incident_id(later)


@given(INSTANTS, st.sets(st.integers(0, 36**4 - 1), min_size=2, max_size=20))
def test_attempts_never_collide(at: datetime, attempts: set[int]) -> None:
    """Who finds an id taken gets another one with every further attempt, past midnight too."""
    made = [ids.incident_id(at, attempt) for attempt in sorted(attempts)]
    assert len(set(made)) == len(made)
    assert made == sorted(made)


def test_an_id_is_of_the_day_in_utc() -> None:
    """The day in an id is that of UTC, and the last slot of a day is followed by the first of the next."""
    assert ids.incident_id(datetime.fromisoformat("2026-11-24T09:00:00+11:00")).startswith("inc-20261123-")
    last = datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert [ids.incident_id(last, attempt) for attempt in (0, 1)] == ["inc-20261231-zzzz", "inc-20270101-0000"]
    assert ids.incident_id(T0) == "inc-20261123-4i00"


def test_names_of_changes_are_fixed() -> None:
    """The names that ledgers and scripts hold never change: a new program finds what an old one wrote."""
    assert ids.change_workflow_id("inc-20261123-7f3k", "rollback", 2) == "inc-20261123-7f3k/rollback/2"
    assert ids.action_id("inc-20261123-7f3k", "rollback", 1) == ids.action_id("inc-20261123-7f3k", "rollback", 1)
    assert ids.action_id("inc-20261123-7f3k", "rollback", 1) == "158a5081-2ad5-5f32-9b15-580c14882cfc"
    assert ids.key_workflow_id("alarm-1") == "key/4382c23b0dc02a24521e7f3381730591"
    assert ids.lock_id("arn:aws:ecs:x") == "lock/arn:aws:ecs:x"


@given(st.tuples(st.text(), st.text(), st.integers(1, 9)), st.tuples(st.text(), st.text(), st.integers(1, 9)))
def test_different_changes_have_different_actions(one: tuple[str, str, int], other: tuple[str, str, int]) -> None:
    """No two changes share an action id while incidents and steps have names without a slash."""
    if one != other and "/" not in "".join([*one[:2], *other[:2]]):
        assert ids.action_id(*one) != ids.action_id(*other)
