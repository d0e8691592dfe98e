"""The record's store is away for ten minutes amid a P0: the response goes on as ever, and nothing is missing after."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.account import PROBES, Portal
from tests.e2e.house import House
from tests.e2e.record import assert_recorded_once
from tests.e2e.wire import Wire
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

SPEED = 60
AWAY_SECONDS = 10
"""Ten policy minutes."""
SLOWER = 5
NOISE_SECONDS = 0.3
"""A step that takes less is measured as this: below it a busy machine decides."""
LEADS = 4


def test_store_down_for_ten_minutes_slows_nothing_and_loses_nothing(house: House, aws: Wire, worker: Worker) -> None:
    """No step of the response waits for the store but the apply; one page tells of it, and the record is whole."""
    portal = Portal(house)
    fault, deployed = portal.break_(), portal.deployed()
    _, usual = respond(house, "The store is up")
    with aws.down("dynamodb."):
        began = time.monotonic()
        incident, away = respond(house, "The store is away")
        change = house.change(incident, "awaiting-approval")
        house.asking.update(change["workflow_id"], "approve", by="technical-manager", digest=change["plan"]["digest"])
        house.change(incident, "applying")
        state = house.until(incident, "the store's clock is breached", lambda state: _clock(state) == "breached")
        assert state["timeline"]["written"] == 0
        until(lambda: time.monotonic() >= began + AWAY_SECONDS, "ten policy minutes are over")
        assert house.change(incident, "applying")["approvals"]
        assert portal.deployed() == deployed
    for step, seconds in away.items():
        assert seconds < SLOWER * max(usual[step], NOISE_SECONDS), (step, usual, away)
    house.change(incident, "applied")
    assert portal.deployed() == [*deployed, fault.good]
    entries = assert_recorded_once(house, incident)
    state = house.until(incident, "the store's clock is met", lambda state: _clock(state) == "met")
    told = [page for page in state["pages"] if "ledger" in page["reason"]]
    assert [(page["to"], page["role"]) for page in told] == [("devops-lead", "devops-lead")]
    delivered = [one["role"] for one in house.outbox(incident) if "ledger" in f"{one['subject']} {one['body']}"]
    assert delivered == ["devops-lead"]
    assert [one["text"] for one in entries if one["kind"] == "ledger"] == [
        "The ledger cannot be written; what happens meanwhile is kept and written later",
        "The ledger is written again; nothing is missing in it",
    ]


def respond(house: House, title: str) -> tuple[str, dict[str, float]]:
    """Respond to a P0 as people do, and measure how long each step takes, in seconds."""
    took: dict[str, float] = {}
    incident = house.start(title, "--speed", str(SPEED))

    def timed(step: str, do: Callable[[], Any]) -> None:
        began = time.monotonic()
        do()
        took[step] = time.monotonic() - began

    timed("pages", lambda: until(lambda: len(house.outbox(incident)) >= LEADS, "the leads are paged"))
    timed("acknowledge", lambda: house.asking.update(incident, "acknowledge", by="devops-lead"))
    timed("findings", lambda: house.findings(incident, PROBES))
    timed("note", lambda: house.asking.update(incident, "note", by="devops-lead", text="looking at the release"))
    timed("plan", lambda: planned(house, incident))
    return incident, took


def planned(house: House, incident: str) -> None:
    house.asking.update(incident, "request_change", by="devops-lead", step="rollback")
    house.change(incident, "awaiting-approval")


def _clock(state: dict[str, Any]) -> str | None:
    return next((one["state"] for one in state["clocks"] if one["name"] == "ledger"), None)
