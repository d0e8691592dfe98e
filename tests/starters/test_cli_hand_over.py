"""Command is handed over by the command alone: offered, shown, taken; and refused in one line where it may not be."""

import pytest

from tests.starters.backstage import Backstage
from tests.starters.conftest import Incident, Said

START = ("start", "system-outage", "--severity", "P0", "--title", "Portal down", "--json")


@pytest.fixture
def id_(incident: Incident, backstage: Backstage, monkeypatch: pytest.MonkeyPatch) -> str:
    """An incident that the DevOps lead commands."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    if not backstage._workers:
        backstage.start_workers()
    found = str(ok(incident(*START)).json["incident_id"])
    ok(incident("ack", found))
    return found


def ok(said: Said) -> Said:
    assert said.status == 0, said.err
    return said


def refused(said: Said) -> str:
    assert (said.status, said.out) == (1, "")
    return said.err.strip()


def test_command_is_offered_shown_and_taken(incident: Incident, id_: str) -> None:
    told = ok(incident("hand-over", id_, "--to", "development-lead")).out
    assert f"Command of {id_} is offered to development-lead until" in told
    assert "until it is taken devops-lead commands" in told
    assert "development-lead, until" in ok(incident("show", id_)).out
    assert f"incident hand-over {id_} accept" in ok(incident("watch", id_, "--once")).out
    assert ok(incident("show", id_, "--json")).json["commander"] == "devops-lead"
    assert "who offers command to development-lead" in ok(incident("report", id_)).out
    assert refused(incident("hand-over", id_, "accept", "--as", "cto")) == (
        "command is offered to development-lead, and nobody else takes it"
    )
    taken = ok(incident("hand-over", id_, "accept", "--as", "development-lead")).out
    assert taken.strip() == f"development-lead commands {id_}"
    assert "development-lead takes command from devops-lead" in ok(incident("timeline", id_)).out
    report = ok(incident("report", id_)).out
    assert "offers command to development-lead" in report
    assert "takes command from devops-lead" in report
    assert ok(incident("show", id_, "--json")).json["commander"] == "development-lead"


def test_what_is_refused(incident: Incident, id_: str) -> None:
    assert refused(incident("hand-over", id_, "accept", "--as", "cto")) == (
        "command is not offered to anybody: devops-lead commands"
    )
    assert refused(incident("hand-over", id_, "--to", "cto", "--as", "ceo")) == (
        "devops-lead commands, and nobody else hands over"
    )
    assert refused(incident("hand-over", id_, "--to", "devops-lead")) == "devops-lead commands already"


@pytest.mark.parametrize("arguments", [(), ("accept", "--to", "cto"), ("refuse",), ("--to", "a-stranger")])
def test_how_it_is_written(incident: Incident, arguments: tuple[str, ...]) -> None:
    """Either offered or accepted, to somebody of the organisation."""
    said = incident("hand-over", "inc-20261123-7f3k", *arguments)
    assert (said.status, said.err.count("\n")) == (2, 1)
