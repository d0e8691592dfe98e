"""Names that are given once and mean the same for ever."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.values import ids
from tests.builders import T0

INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
DRAWS = st.integers(0, 2**32).map(lambda seed: Random(seed).randrange)


@given(INSTANTS, DRAWS)
def test_incident_ids_are_readable(at: datetime, draw: Callable[[int], int]) -> None:
    """An id holds the day of its declaration and four letters or digits; six, once one of four was taken."""
    names = ids.incident_ids(at, draw)
    for letters in (4, 6, 6):
        assert re.fullmatch(rf"inc-{at:%Y%m%d}-[0-9a-z]{{{letters}}}", next(names))


@given(INSTANTS, INSTANTS, DRAWS)
def test_incident_ids_are_in_order_of_days(one: datetime, other: datetime, draw: Callable[[int], int]) -> None:
    """Sorted by their ids, incidents stand in the order of the days on which they were declared."""
    earlier, later = sorted([one, other])
    first, second = next(ids.incident_ids(earlier, draw)), next(ids.incident_ids(later, draw))
    assert ids.first_of_day(earlier) <= first
    assert earlier.date() == later.date() or first < ids.first_of_day(later) <= second


@given(INSTANTS, st.floats(0, 1, exclude_max=True), DRAWS, st.integers(0, 3), st.integers(1, 35))
def test_ids_of_one_second_differ_in_two_letters(
    at: datetime, later: float, draw: Callable[[int], int], place: int, by: int
) -> None:
    """No id of a second becomes another of it by one letter: what is mistyped is nobody's."""
    second = at.replace(microsecond=0)
    name = next(ids.incident_ids(second, draw))
    letters = "0123456789abcdefghijklmnopqrstuvwxyz"
    place -= 4
    other = list(name)
    other[place] = letters[(letters.index(name[place]) + by) % 36]
    drawn = iter([letters.index(letter) for letter in other[-4:-1]])
    same_second = next(ids.incident_ids(second + timedelta(microseconds=int(later * 1e6)), lambda _: next(drawn)))
    assert same_second != "".join(other)


def test_a_thousand_ids_of_one_second_take_two_attempts_at_most() -> None:
    """However many are declared at once, who finds an id taken draws one that is free."""
    draw, taken = Random(7).randrange, set[str]()
    again = 0
    for _ in range(1000):
        names = ids.incident_ids(T0, draw)
        name = next(names)
        if name in taken:
            again += 1
            name = next(names)
        assert name not in taken
        taken.add(name)
    assert 0 < again < 50


def test_an_id_is_of_the_day_in_utc() -> None:
    """The day in an id is that of UTC."""
    morning = datetime.fromisoformat("2026-11-24T09:00:00+11:00")
    assert next(ids.incident_ids(morning, Random(1).randrange)).startswith("inc-20261123-")
    assert ids.first_of_day(morning) == "inc-20261123-"


def test_names_of_changes_are_fixed() -> None:
    """The names that ledgers and scripts hold never change: a new program finds what an old one wrote."""
    assert ids.change_workflow_id("inc-20261123-7f3k", "rollback", 2) == "inc-20261123-7f3k/rollback/2"
    assert ids.action_id("inc-20261123-7f3k", "rollback", 1) == ids.action_id("inc-20261123-7f3k", "rollback", 1)
    assert ids.action_id("inc-20261123-7f3k", "rollback", 1) == "158a5081-2ad5-5f32-9b15-580c14882cfc"
    assert ids.key_workflow_id("staging", "alarm-1") == "key/staging/4382c23b0dc02a24521e7f3381730591"
    assert ids.lock_id("arn:aws:ecs:x") == "lock/arn:aws:ecs:x"


@given(st.tuples(st.text(), st.text(), st.integers(1, 9)), st.tuples(st.text(), st.text(), st.integers(1, 9)))
def test_different_changes_have_different_actions(one: tuple[str, str, int], other: tuple[str, str, int]) -> None:
    """No two changes share an action id while incidents and steps have names without a slash."""
    if one != other and "/" not in "".join([*one[:2], *other[:2]]):
        assert ids.action_id(*one) != ids.action_id(*other)
