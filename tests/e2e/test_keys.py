"""One key stands for one open incident, however many alerts come, and an id is never used twice."""

import json
from typing import Any

import pytest

from tests.e2e.house import House
from tests.e2e.workers import Worker

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

AT_ONCE = 25
ALERT = ("start", "system-outage", "--severity", "P0", "--title", "Alarm: portal down", "--json")


def declared(house: House, *more: str) -> dict[str, Any]:
    done = house.call(*ALERT, *more)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def together(house: House, count: int, *more: str) -> list[dict[str, Any]]:
    """Declare by that many processes at one instant."""
    done = house.together(count, *ALERT, *more)
    assert not any(one.returncode for one in done), [one.stderr for one in done]
    return [json.loads(one.stdout) for one in done]


def test_starts_at_once_with_one_key_are_one_incident(house: House, worker: Worker) -> None:
    """Of 25 starts at once with one key one creates the incident; the others are its duplicate alerts."""
    answers = together(house, AT_ONCE, "--key", "burst")
    (incident,) = {one["incident_id"] for one in answers}
    assert sorted(one["created"] for one in answers) == [False] * (AT_ONCE - 1) + [True]
    house.until(incident, "every alert is counted", lambda state: state["alerts"] == AT_ONCE)
    assert [one["kind"] for one in house.timeline(incident)].count("duplicate-alert") == AT_ONCE - 1
    held = [one for one in house.json("list") if one["title"] == "Alarm: portal down"]
    assert [one["id"] for one in held] == [incident]
    house.run("false-alarm", incident, "--reason", "a drill of the alarm")


def test_starts_at_once_without_a_key_are_as_many_incidents(house: House, worker: Worker) -> None:
    """Without a key every start is an incident of its own, and no two get the same id."""
    incidents = {one["incident_id"] for one in together(house, 8)}
    assert len(incidents) == 8
    for incident in incidents:
        house.signal(incident, "false_alarm", by="devops-lead", reason="a drill of the alarm")
    for incident in incidents:
        house.until(incident, "it ends", lambda state: state["status"] == "false-alarm", seconds=90)


def test_key_through_an_incidents_life(house: House, worker: Worker) -> None:
    """A duplicate joins an open incident, reopens a resolved one, and after the end opens a new one under a new id."""
    first = declared(house, "--key", "portal")
    incident = first["incident_id"]
    assert declared(house, "--key", "portal") | {"ui": ""} == {"incident_id": incident, "created": False, "ui": ""}
    resolve(house, incident)
    assert declared(house, "--key", "portal")["incident_id"] == incident
    state = house.until(incident, "the duplicate reopens it", lambda state: state["status"] == "declared")
    assert state["reopened"] == 1
    resolve(house, incident)
    close(house, incident)
    second = declared(house, "--key", "portal")
    assert second["created"]
    house.run("false-alarm", second["incident_id"], "--reason", "a drill of the alarm")
    house.ended(second["incident_id"])
    third = declared(house, "--key", "portal")
    assert third["created"]
    house.signal(third["incident_id"], "false_alarm", by="devops-lead", reason="a drill of the alarm")
    assert len({one["incident_id"] for one in (first, second, third)}) == 3


def resolve(house: House, incident: str) -> None:
    house.signal(incident, "acknowledge", by="devops-lead")
    house.signal(incident, "mitigated", by="devops-lead", summary="traffic moved away")
    house.signal(incident, "resolve", by="devops-lead", summary="the release is gone")
    house.until(incident, "it is resolved", lambda state: state["status"] == "resolved")


def close(house: House, incident: str) -> None:
    """Close it as a person does: refused while required tasks are open, done once they are waived."""
    refused = house.call("close", incident)
    assert refused.returncode == 1
    assert "complete-timeline" in refused.stderr
    for task in house.state(incident)["tasks"]:
        if task["required"] and task["status"] == "open":
            house.asking.update(incident, "waive_task", by="devops-lead", step=task["step"], reason="a drill")
    house.run("close", incident)
    assert house.ended(incident)["status"] == "closed"
