"""Command is offered again and again to the same person, each time with a page."""

from tests.activities.report_worlds import Played
from tests.builders import declaration


def test_an_offer_that_stands_is_not_paged_again() -> None:
    played = Played(declaration())
    played.say("acknowledge", "development-lead")
    for _ in range(20):
        played.say("hand_over", "development-lead", to="cto")
    asked = [page for page in played.incident.state.pages if page.about == "hand-over"]
    assert len(asked) == 1, f"{len(asked)} pages of one offer"
