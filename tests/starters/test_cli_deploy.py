"""`incident deploy` where there are no builds yet, and what is said where the build that is needed does not poll."""

import pytest
from temporalio.client import Client

from tests.starters.backstage import Backstage
from tests.starters.conftest import Incident
from workflows import builds
from workflows.builds import Polled


@pytest.fixture
def served(backstage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Backstage:
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    return backstage


def test_without_builds(incident: Incident, served: Backstage) -> None:
    """Workers without a build are told as such; there is nothing to promote, and nowhere to move to."""
    assert "nothing is open" in incident("deploy", "status").out
    served.start_workers()
    [row] = incident("deploy", "status", "--json").json
    assert row == {
        "build": None,
        "state": "unversioned",
        "workers": 1,
        "not_polled": [],
        "incidents": [],
        "open": 0,
        "can_be_stopped": False,
    }
    served.stop_workers()
    refused = incident("deploy", "promote", "B")
    assert refused.status == 1
    assert "no worker of build B polls incidents, diagnose, remediate, forensics, notify" in refused.err
    assert (incident("deploy", "move", "inc-20261123-7f3k").status, incident("deploy", "promote").status) == (1, 2)


def test_workers_of_another_build_are_none(
    incident: Incident, served: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who declares an incident is warned when the current build does not poll, whoever else does."""

    async def polled(client: Client, queue: str) -> Polled:
        return Polled("B", {"A": {"1@worker"}})

    monkeypatch.setattr(builds, "polled", polled)
    said = incident("start", "system-outage", "--severity", "P0", "--title", "Portal down")
    assert said.status == 0
    assert "no worker of build B is polling" in said.err
