"""What no record could hold is refused by the command, in one line, before anything happened."""

import pytest

from domain.values import limits
from tests.starters.backstage import Backstage
from tests.starters.conftest import Incident

START = ("start", "data-breach", "--severity", "P0", "--title", "Studies are downloaded in bulk", "--json")


def test_a_change_of_too_many_parameters(
    incident: Incident, backstage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size and the limit are named; the incident has no such change, and nothing of it on its timeline."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    backstage.start_workers()
    try:
        name = incident(*START).json["incident_id"]
        addresses = ",".join(f"198.51.{high}.{low}" for high in range(20) for low in range(256))
        said = incident("change", name, "block-addresses", "--set", f"addresses={addresses}")
        state = incident("show", name, "--json").json
        timeline = incident("timeline", name, "--json").json
    finally:
        backstage.stop_workers()
    assert (said.status, said.out) == (1, "")
    assert f"{limits.COMMAND} at most can go on record: say it in parts" in said.err
    assert "block-addresses" not in {change["step"] for change in state["changes"]}
    assert not any("198.51" in str(entry) for entry in timeline)


def test_a_runbook_that_is_too_long(incident: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before Temporal is asked: nothing listens there."""
    monkeypatch.setattr(limits, "DECLARATION", 10_000)
    said = incident(*START)
    assert (said.status, said.out) == (1, "")
    assert "at most 10000 can go on record: shorten them" in said.err
