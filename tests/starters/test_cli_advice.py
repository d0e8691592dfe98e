"""What `watch` tells people to type, from an incident's document."""

from typing import Any

import pytest

from domain.rules.document import document
from domain.rules.incident import Incident
from starters.cli.next_steps import advice, due
from tests.builders import T0, declaration, minutes


def state(**changes: Any) -> dict[str, Any]:
    return {**document(Incident.declared(declaration())), **changes}


def change(status: str) -> dict[str, Any]:
    return {"step": "rollback", "status": status, "eligible": ["technical-manager"], "approvals": []}


OFFER = {"step": "scale-up", "title": "Scale up", "ask": ["count"], "because": ["health"]}


@pytest.mark.parametrize(
    ("changes", "commands"),
    [
        ({}, ["incident ack {id}"]),
        ({"offers": [OFFER]}, ["incident ack {id}", "incident change {id} scale-up --set count=…"]),
        ({"status": "acknowledged"}, ["incident mitigated {id} --summary '…'"]),
        (
            {"status": "acknowledged", "changes": [change("awaiting-approval")]},
            ["incident approve {id} rollback", "incident mitigated {id} --summary '…'"],
        ),
        ({"status": "mitigated", "offers": [OFFER]}, ["incident resolve {id} --summary '…'"]),
        ({"status": "resolved"}, ["incident done {id} assess", "incident done {id} review"]),
        ({"status": "resolved", "tasks": []}, ["incident close {id}"]),
        ({"status": "closed"}, []),
        ({"status": "false-alarm", "changes": [change("awaiting-approval")]}, []),
    ],
)
def test_every_status_has_its_next_command(changes: dict[str, Any], commands: list[str]) -> None:
    """Exactly these commands are advised, the most pressing first."""
    told = state(**changes)
    assert [item.command for item in advice(told)] == [command.format(id=told["id"]) for command in commands]


@pytest.mark.parametrize(("status", "again"), [("applying", False), ("rejected", False), ("failed", True)])
def test_a_suggestion_ends_when_somebody_took_it_up(status: str, again: bool) -> None:
    """A change under way or turned down is not suggested again; one that failed is."""
    offer = {**OFFER, "step": "rollback", "ask": []}
    told = state(offers=[offer], changes=[change(status)])
    assert ("incident change" in " ".join(item.command for item in advice(told))) is again


def test_the_end_of_a_vote_is_due_in_its_place() -> None:
    """What is due stands in order of time, running votes included, settled ones left out."""

    def clock(name: str, at: float, how: str) -> dict[str, Any]:
        return {"name": name, "due_at": (T0 + minutes(at)).isoformat().replace("+00:00", "Z"), "state": how}

    told = state(
        due=[
            {"at": "2026-11-23T03:05:00Z", "what": "page again"},
            {"at": "2026-11-23T03:15:00.5Z", "what": "ack overdue"},
        ],
        clocks=[
            clock("approval:rollback", 10, "running"),
            clock("approval:scale-up", 7, "met"),
            clock("ack", 15, "running"),
        ],
    )
    assert [entry["what"] for entry in due(told)] == ["page again", "rollback: its voters' time is up", "ack overdue"]
