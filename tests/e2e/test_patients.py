"""Patients stay where they are: of what logs and accounts say of them, nothing gets into what an incident leaves."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from sandbox.seed.user_pools import sub
from tests.e2e.account import PROBES
from tests.e2e.house import Document, House
from tests.e2e.marks import Answers, mark, marks_in, plant
from tests.e2e.places import evidence, left_behind
from tests.e2e.wire import Wire, wire
from tests.e2e.workers import Worker, running

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-apart")]

FAULTS = (
    "outage-bad-deploy",
    "breach-exfiltration",
    "database-pool-exhaustion",
    "security-credential-stuffing",
    "performance-cpu",
    "alert-storm",
)
ADDRESSES = {"addresses": ["198.51.100.23/32"]}
USERS = {"users": [sub(1)]}
STEPS: dict[str, dict[str, dict[str, Any]]] = {
    "system-outage": {"rollback": {}, "scale-up": {"count": 5}, "maintenance-page": {}},
    "data-breach": {"block-addresses": ADDRESSES, "isolate-network": {}, "stop-services": {}},
    "database": {"restart-application": {}, "failover": {}, "promote-replica": {}, "resize-instance": {}},
    "security": {
        "disable-accounts": USERS,
        "sign-out-accounts": USERS,
        "reset-passwords": USERS,
        "require-mfa": USERS,
        "extra-logging": {},
    },
    "performance": {"scale-out": {}, "enable-insights": {}},
    "alert-storm": {"suppress-alarms": {"alarms": ["axis-imaging-export-errors"]}},
}
"""The incidents, and what is asked for in each; evidence is preserved without."""
FINDINGS = {
    "system-outage": PROBES,
    "data-breach": 6,
    "database": 19,
    "security": 8,
    "performance": 14,
    "alert-storm": 4,
}
APPROVED = ("disable-accounts", "sign-out-accounts")
SETTLED = {"awaiting-approval", "applied", "already-done", "failed", "rejected"}
CONTROL, DENIAL = "control", "denial"
REPORTS = ("markdown", "html", "json")


def test_no_record_of_a_patient_is_found_in_what_incidents_leave(spare: House) -> None:
    """Marked in every log, account, alarm and answer of AWS, patients are nowhere; a mark in a note is found."""
    answers = Answers()
    with served(spare) as aws:
        aws.alter = answers
        for fault in FAULTS:
            requests.post(f"{spare.variables['STATUSPAGE_URL']}/sandbox/faults/{fault}", timeout=60).raise_for_status()
        places = plant(spare) | answers.places
        with ThreadPoolExecutor(len(STEPS)) as pool:
            incidents = dict(zip(STEPS, pool.map(lambda type_: declared(spare, type_), STEPS), strict=True))
        for type_, incident in incidents.items():
            respond(spare, type_, incident)
        spare.told(incidents["system-outage"], "publish-investigating")
        spare.change(incidents["data-breach"], "applied", step="preserve-logs")
        refused = denied(spare, aws)
        outage = incidents["system-outage"]
        spare.asking.update(outage, "note", by="devops-lead", text=f"the first to call was {mark(CONTROL)}")
        spare.until(outage, "its note is written", lambda one: one["timeline"]["written"] == one["timeline"]["length"])
        left = left_behind(spare, [*incidents.values(), refused])
    assert "object" in marks_in(evidence(spare))
    found = {place: marks_in(content) for place, content in left.items()}
    assert {place: marks - {CONTROL} for place, marks in found.items() if marks - {CONTROL}} == {}
    told = {place for place, marks in found.items() if CONTROL in marks}
    assert {f"history of {outage}", "ledger table", *(f"{how} report of {outage}" for how in REPORTS)} <= told
    assert places - answers.heard == set()


@contextmanager
def served(house: House) -> Iterator[Wire]:
    """A worker of this test's own, behind a wire."""
    with wire(house.variables["AWS_ENDPOINT_URL"]) as aws, running(Worker(house, AWS_ENDPOINT_URL=aws.url)):
        yield aws


def declared(house: House, type_: str) -> str:
    """Declare an incident; the outage's clocks are fast, so that the public is told."""
    speed = "60" if type_ == "system-outage" else "1"
    answer = house.json("start", type_, "--severity", "P0", "--title", f"Trial of {type_}", "--speed", speed)
    incident: str = answer["incident_id"]
    return incident


def respond(house: House, type_: str, incident: str) -> None:
    """Wait for the findings, ask for every change and approve some."""
    house.until(incident, "every finding", lambda state: len(state["findings"]) >= FINDINGS[type_], seconds=90)
    house.asking.update(incident, "acknowledge", by="security-lead")
    for step, given in STEPS[type_].items():
        house.asking.update(incident, "request_change", by="security-lead", step=step, set=given)
    house.until(incident, "every plan", lambda state: all(map(is_settled, state["changes"])), seconds=90)
    for change in house.state(incident)["changes"]:
        own = change["eligible"] == ["requester"]
        if change["step"] in APPROVED or own:
            assert change["plan"], change
            digest, who = change["plan"]["digest"], "security-lead" if own else "technical-manager"
            house.asking.update(change["workflow_id"], "approve", by=who, digest=digest)
        if change["step"] in APPROVED:
            house.change(incident, "applied", step=change["step"])


def is_settled(change: Document) -> bool:
    """Whether a change has come as far as it does by itself; what preserves takes longer."""
    return change["status"] in SETTLED or change["step"] in {"preserve-logs", "snapshot-database"}


def denied(house: House, aws: Wire) -> str:
    """An incident whose probes are denied, in words that quote a patient."""
    with aws.denying("logs.", "AccessDeniedException", f"{mark(DENIAL)} may not be read"):
        incident = declared(house, "security")
        state = house.until(incident, "every finding", lambda one: len(one["findings"]) >= FINDINGS["security"])
    assert any(one["summary"].startswith("AccessDenied") for one in state["findings"])
    return incident
