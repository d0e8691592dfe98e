"""A breach at night in staging: what both have signed for cuts the network off, while nobody acknowledges anything."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.archived import all_proven
from tests.e2e.house import House
from tests.e2e.staging_alone import house, worker
from tests.e2e.workers import Worker

__all__ = ["house", "worker"]
pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e-staging")]

STEP = "isolate-network"
SOON = (datetime.now(UTC) + timedelta(days=7)).isoformat(timespec="seconds")
BOTH = ("cto", "compliance-officer")


def breach(house: House, title: str) -> str:
    answer = house.json("start", "data-breach", "--severity", "P0", "--title", title)
    incident: str = answer["incident_id"]
    return incident


def signed(house: House) -> str:
    """Both sign, each with a key that their agent holds; gives its digest."""
    given = ("--until", SOON, "--reason", "nobody may be awake", "--yes")
    offered = house.json("preauthorise", "data-breach", STEP, *given, "--as", BOTH[0])
    assert offered["lacking"] == [BOTH[1]]
    signed = house.json("preauthorise", "sign", offered["id"], "--yes", "--as", BOTH[1])
    assert signed["in_force"]
    digest: str = signed["digest"]
    return digest


def test_containment_while_nobody_answers(house: House, worker: Worker, tmp_path: Path) -> None:
    """It waits for the probe and for evidence; the record proves who had signed it. Revoked, it begins no more."""
    assert worker is not None
    house.run("sandbox", "break", "breach-exfiltration", "--data-dir", str(house.data_dir))
    digest = signed(house)
    told = f"pre-authorisation {digest[:12]} of {' and '.join(BOTH)}"
    incident = breach(house, "Exfiltration at night")
    change = house.change(incident, "applied", step=STEP)
    assert (change["approvals"], change["requested_by"]) == ([], "orchestrator")
    assert change["preauthorised"] == {"digest": digest, "signed_by": list(BOTH)}
    state = house.state(incident)
    assert (state["status"], state["commander"]) == ("declared", None)
    started = {page["role"] for page in state["pages"] if page["reason"].startswith(f"started by {told}: ")}
    assert started == {page["role"] for page in state["pages"] if page["reason"] == "declared"}
    entries = house.timeline(incident)
    assert [one["text"] for one in entries if one["kind"] == "evidence"] == []  # none was forgone
    begun = {one["step"] for one in state["changes"]}
    assert begun == {"snapshot-database", "preserve-logs", STEP}
    assert told in house.run("report", incident)
    assert f"none: pre-authorisation {digest[:12]}" in house.run("show", incident)
    acts = all_proven(house, incident, tmp_path)
    assert [one["what"] for one in acts] == [f"starts {incident}/{STEP}/1 by {told}"]
    (row,) = house.json("preauthorise", "list", "--uses")
    assert (row["uses"], row["in_force"]) == (1, True)
    second = breach(house, "The same night")  # it is cut off already: nothing is used up
    house.change(second, "already-done", step=STEP)
    (row,) = house.json("preauthorise", "list", "--uses")
    assert row["uses"] == 1
    house.run("preauthorise", "revoke", digest[:12], "--reason", "the night is over", "--as", BOTH[0])
    third = breach(house, "In the morning")
    house.until(third, "all has been looked at", lambda it: len(it["findings"]) == 6)
    assert [one["step"] for one in house.state(third)["changes"] if one["step"] == STEP] == []
