"""After an acknowledgement has lapsed, what pages whoever commands pages the silent one alone."""

from domain.rules import paging
from tests.builders import T0, minutes
from tests.domain.speaking import BY
from tests.domain.test_clock import walk
from tests.domain.test_sign_of_life import ACK, incident


def test_whoever_is_silent_is_not_the_only_one_paged() -> None:
    made = incident()
    walk(made, T0 + minutes(39), {3: ACK})
    assert made.state.lapsed
    before = len(made.state.pages)
    made.take(paging.page_commander(made.state, "not done by pre-authorisation"), T0 + minutes(39))
    assert {page.to for page in made.state.pages[before:]} - {BY}
