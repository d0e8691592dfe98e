"""Staging, with real signatures: somebody stands in for who has to approve, and the change is made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.values.timestamps import stamp_to_second
from tests.e2e.account import Portal
from tests.e2e.archived import all_proven
from tests.e2e.house import House
from tests.e2e.staging_alone import house, worker
from tests.e2e.workers import Worker
from tests.waiting import until

__all__ = ["house", "worker"]
pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e-staging")]

MANAGER, STAND_IN = "technical-manager", "compliance-officer"


def test_a_stand_in_approves_what_is_made_and_nothing_after_their_time(
    house: House, worker: Worker, tmp_path: Path
) -> None:
    """Told while the change waits: by the file to the hands, by a command to the incident. Ended, it counts no more."""
    portal = Portal(house, "axis-imaging-cluster-staging", "axis-imaging-backend-staging")
    portal.break_()
    incident = house.start("Portal answers 503")
    house.run("ack", incident)
    digest = house.json("change", incident, "rollback")["plan"]["digest"]
    vote = ("approve", incident, "rollback", "--digest", digest, "--as", STAND_IN)
    assert f"{STAND_IN} may not decide this" in refused(house, *vote)
    lend = ("delegate", MANAGER, "--to", STAND_IN, "--until", ahead(hours=4), "--reason", "on leave")
    assert "no SSH agent answers" in refused(house, *lend, "--as", MANAGER, SSH_AUTH_SOCK="/nowhere")
    assert "is delegated by technical-manager" in refused(house, *lend, "--as", "devops-lead")
    said = house.json(*lend, "--as", MANAGER)
    assert said["incidents"] == [{"incident": incident, "told": True, "reason": None}]
    paged = house.until(incident, "the stand-in is paged", stood_in)
    assert [(page["role"], page["about"]) for page in stood_in(paged)] == [(MANAGER, f"{incident}/rollback/1")]
    house.run(*vote)
    (cast,) = house.change(incident, "applied")["approvals"]
    assert (cast["by"], cast["role"], cast["verified"]["method"]) == (STAND_IN, MANAGER, "ssh")
    until(house.healthy, "the portal answers")
    end = ("delegate", "end", said["id"], "--reason", "back", "--as", STAND_IN)
    assert house.json(*end)["incidents"] == [{"incident": incident, "told": True, "reason": None}]
    digest = house.json("undo", incident, "rollback")["plan"]["digest"]
    assert f"{STAND_IN} may not decide this" in refused(
        house, "approve", incident, "rollback", "--digest", digest, "--as", STAND_IN
    )
    entries = house.timeline(incident)
    told = [one for one in entries if one["kind"] in {"delegated", "delegation-ended"}]
    assert [(one["kind"], one["actor"], "proof" in one["cause"]) for one in told] == [
        ("delegated", MANAGER, True),
        ("delegation-ended", STAND_IN, True),
    ]
    assert "Stood in as" in house.run("report", incident)
    acts = all_proven(house, incident, tmp_path)
    assert {one["entry"] for one in acts} >= {one["seq"] for one in told}


def ahead(**span: float) -> str:
    return stamp_to_second(datetime.now(UTC) + timedelta(**span)) or ""


def stood_in(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [page for page in state["pages"] if page["to"] == STAND_IN]


def refused(house: House, *command: str, **more: str) -> str:
    """Why a command is refused."""
    done = house.call(*command, **more)
    assert done.returncode == 1, done.stderr
    return str(done.stderr)
