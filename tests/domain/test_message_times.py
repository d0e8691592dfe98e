"""Pages tell times by the organisation's clock, as the terminal and the report do."""

import pytest

from domain.config.organisation import Organisation
from domain.model.activity_io import PageRequest
from domain.rules.live import LiveIncident
from domain.rules.messages import Words, framed
from tests.builders import declaration, organisation

DUE = "Take it by 2026-11-23T03:30:00Z: incident hand-over inc-20261123-aaaa accept"


def framed_for(people: Organisation, title: str = "Down") -> Words:
    about = LiveIncident.declared(declaration(title=title)).state.about
    asked = PageRequest(
        about=about,
        page_id="1",
        message="page",
        to="cto",
        role="cto",
        heading="Outage",
        reason="no sign of life since 2026-11-23T03:03:00.123456Z",
        ask=DUE,
    )
    return framed(asked, people)


@pytest.mark.parametrize(
    ("zone", "since", "by"),
    [
        ("Australia/Sydney", "2026-11-23 14:03:00 +11:00", "2026-11-23 14:30:00 +11:00"),
        ("America/New_York", "2026-11-22 22:03:00 -05:00", "2026-11-22 22:30:00 -05:00"),
        ("Nowhere/None", "2026-11-23 03:03:00 +00:00", "2026-11-23 03:30:00 +00:00"),
        ("Australia", "2026-11-23 03:03:00 +00:00", "2026-11-23 03:30:00 +00:00"),
    ],
)
def test_times_are_those_of_the_organisations_clock(zone: str, since: str, by: str) -> None:
    """With their offset; what people wrote stays as it is, and a zone that this machine does not know is UTC."""
    said = framed_for(organisation().model_copy(update={"timezone": zone}), title="Down since 2026-11-23T03:00:00Z")
    assert said.subject.endswith(f"no sign of life since {since}")
    title, line = said.body.splitlines()
    assert (title, line) == (
        "Down since 2026-11-23T03:00:00Z",
        f"Take it by {by}: incident hand-over inc-20261123-aaaa accept",
    )
