"""Command is handed over only by whoever commands, and only to whoever takes it; until then it stays where it is."""

from datetime import datetime

import pytest

from domain.config.runbook import ProbeStep
from domain.model.commands import Acknowledge, FalseAlarm, Mitigated, OfferCommand, Reopen, RequestChange, TakeCommand
from domain.model.effects import TellChanges
from domain.model.finding import Finding, FindingStatus
from domain.rules.document import document
from domain.rules.findings import found
from domain.rules.live import LiveIncident
from domain.rules.messages import page_words
from domain.rules.next_steps import next_steps
from domain.rules.unattended import missed
from domain.values.status import Status
from tests.builders import T0, minutes
from tests.domain.speaking import BY, incident_in, say

OFFERED = T0 + minutes(20)
TAKEN = OFFERED + minutes(2)
TO = "development-lead"


def offered(status: Status = Status.ACKNOWLEDGED, to: str = TO, **changes: object) -> LiveIncident:
    """An incident whose commander has just offered command."""
    incident = incident_in(status, **changes)
    incident.pass_time(OFFERED)
    assert say(incident, "hand_over", OfferCommand(by=BY, to=to), OFFERED) is None
    return incident


def take(incident: LiveIncident, by: str = TO, of: str = BY, at: datetime = TAKEN) -> str | None:
    return say(incident, "take_command", TakeCommand(by=by, of=of), at)


def paged(incident: LiveIncident, since: datetime) -> list[tuple[str, str]]:
    return [(page.to, page.reason) for page in incident.state.pages if page.at >= since]


@pytest.mark.parametrize("status", [Status.ACKNOWLEDGED, Status.MITIGATED, Status.RESOLVED])
def test_command_goes_over_once_it_is_taken(status: Status) -> None:
    """Nobody is paged but whoever it is offered to, and until they take it nothing has changed."""
    incident = offered(status)
    assert incident.state.commander == BY
    assert paged(incident, OFFERED) == [(TO, f"{BY} offers you command")]
    assert take(incident) is None
    assert (incident.state.commander, incident.state.hand_over) == (TO, None)
    assert [entry.text for entry in incident.timeline.entries[-3:]] == [
        f"{BY} offers command to {TO}, who may take it until 2026-11-23T03:30:00Z",
        f"Paging {TO} ({TO}): {BY} offers you command",
        f"{TO} takes command from {BY}",
    ]
    incident.pass_time(OFFERED + minutes(9))
    assert len(paged(incident, OFFERED)) == 1


def test_changes_under_way_learn_who_commands() -> None:
    incident = incident_in(Status.ACKNOWLEDGED)
    assert say(incident, "request_change", RequestChange(by="cto", step="rollback"), OFFERED) is None
    assert say(incident, "hand_over", OfferCommand(by=BY, to=TO), OFFERED) is None
    incident.effects = []
    assert take(incident) is None
    assert incident.effects == [
        TellChanges(
            (f"{incident.state.id}/rollback/1",), "commander_is", {"commander": TO, "at": "2026-11-23T03:22:00Z"}
        )
    ]


@pytest.mark.parametrize("speed", [1, 60])
def test_an_offer_lapses_after_ten_policy_minutes(speed: float) -> None:
    """It goes on record, whoever offered is paged and nobody else, and it cannot be taken any more."""
    incident = offered(speed=speed)
    until = OFFERED + minutes(10) / speed
    before = len(incident.state.pages)
    incident.pass_time(until - minutes(1) / speed)
    assert incident.state.hand_over is not None
    incident.pass_time(until)
    incident.pass_time(until)
    assert incident.state.hand_over is None
    new = [(page.to, page.reason) for page in incident.state.pages[before:] if page.reason != "not mitigated"]
    assert new == [(BY, f"{TO} has not taken command: you command still")]
    assert f"{TO} has not taken command: {BY} keeps it" in [entry.text for entry in incident.timeline.entries]
    assert take(incident, at=until) == f"command is not offered to anybody: {BY} commands"
    assert incident.state.commander == BY


def test_an_offer_that_has_run_out_is_not_taken() -> None:
    """Though no timer has told that it has: the worker was away, and hears of the taking first."""
    incident = offered()
    assert take(incident, at=OFFERED + minutes(10)) == f"command is not offered to anybody: {BY} commands"
    assert f"{TO} has not taken command: {BY} keeps it" in [entry.text for entry in incident.timeline.entries]


def test_the_watcher_misses_an_offer_that_does_not_lapse() -> None:
    incident = offered(Status.RESOLVED)
    due = missed(incident.state, OFFERED + minutes(13))
    assert due == (OFFERED + minutes(10), f"hand-over to {TO} lapses")


@pytest.mark.parametrize(
    ("by", "to", "reason"),
    [
        ("cto", TO, f"{BY} commands, and nobody else hands over"),
        (TO, TO, f"{BY} commands, and nobody else hands over"),
        (BY, BY, f"{BY} commands already"),
        (BY, "nobody", "'nobody' is no contact of example"),
        (BY, "insurer", "'insurer' is no contact of example"),
        (BY, "incident-commander", "'incident-commander' is no contact of example"),
    ],
)
def test_who_offers_and_to_whom(by: str, to: str, reason: str) -> None:
    incident = incident_in(Status.ACKNOWLEDGED)
    assert say(incident, "hand_over", OfferCommand(by=by, to=to), OFFERED) == reason
    assert incident.state.hand_over is None


def test_command_is_offered_once_somebody_commands() -> None:
    """Before anybody has acknowledged, and after a reopening, who acknowledges commands; behind the end nobody does."""
    incident = incident_in(Status.DECLARED)
    said = say(incident, "hand_over", OfferCommand(by=BY, to=TO), OFFERED)
    assert said == f"nobody has acknowledged it: whoever does commands (incident ack {incident.state.id})"
    over = incident_in(Status.CLOSED)
    assert say(over, "hand_over", OfferCommand(by=BY, to=TO), OFFERED) == "the incident is closed, which is final"


@pytest.mark.parametrize(
    ("by", "of", "reason"),
    [
        ("cto", BY, f"command is offered to {TO}, and nobody else takes it"),
        (BY, BY, f"command is offered to {TO}, and nobody else takes it"),
        (TO, "cto", f"{BY} offers command, not cto"),
    ],
)
def test_only_who_was_offered_command_takes_it(by: str, of: str, reason: str) -> None:
    incident = offered()
    assert take(incident, by, of) == reason
    assert incident.state.commander == BY


def test_another_offer_takes_the_place_of_the_first() -> None:
    incident = offered()
    assert say(incident, "hand_over", OfferCommand(by=BY, to="cto"), OFFERED + minutes(1)) is None
    assert take(incident) == "command is offered to cto, and nobody else takes it"
    assert take(incident, "cto") is None
    incident.pass_time(OFFERED + minutes(11))
    assert incident.state.commander == "cto"


def test_what_ends_or_reopens_the_incident_ends_the_offer() -> None:
    reopened = offered(Status.MITIGATED)
    assert say(reopened, "reopen", Reopen(by=BY, reason="again"), OFFERED + minutes(1)) is None
    assert take(reopened) == f"command is not offered to anybody: {BY} commands"
    ended = offered()
    assert say(ended, "false_alarm", FalseAlarm(by=BY, reason="a test"), OFFERED + minutes(1)) is None
    assert ended.state.hand_over is None


def test_mitigation_leaves_the_offer() -> None:
    incident = offered()
    assert say(incident, "mitigated", Mitigated(by=BY, summary="rolled back"), OFFERED + minutes(1)) is None
    assert take(incident) is None


def test_who_joins_takes_no_command() -> None:
    incident = offered()
    assert say(incident, "acknowledge", Acknowledge(by=TO), OFFERED + minutes(1)) is None
    assert incident.state.commander == BY


def test_a_dry_run_pages_nobody() -> None:
    incident = offered(mode="dry-run")
    assert incident.state.pages == []
    assert take(incident) is None


def test_the_offer_is_shown() -> None:
    incident = offered()
    shown = document(incident.state)
    until = "2026-11-23T03:30:00Z"
    assert shown["hand_over"] == {"by": BY, "to": TO, "at": "2026-11-23T03:20:00Z", "until": until}
    assert TO in shown["waiting_for"]
    assert ("development-lead", f"incident hand-over {incident.state.id} accept") in [
        (step.who, step.command) for step in next_steps(incident.state)
    ]
    assert take(incident) is None
    shown = document(incident.state)
    assert (shown["hand_over"], shown["commander"]) == (None, TO)


def test_the_page_says_where_the_incident_stands() -> None:
    """Titles of the files alone: what people wrote, and what probes saw, stays in the incident."""
    incident = offered(description="somebody's name", title="another's")
    words = page_words(incident.state, incident.state.pages[-1])
    assert words.subject == f"{BY} offers you command"
    name = incident.state.id
    assert words.body.splitlines() == [
        f"Take it by 2026-11-23T03:30:00Z: incident hand-over {name} accept",
        "It is acknowledged, P0.",
        "Due next: Assess the impact by 2026-11-23T03:15:00Z",
        f"Look: incident show {name}",
    ]
    step = next(one for one in incident.state.declaration.runbook.steps() if one.id == "deployments")
    assert isinstance(step, ProbeStep)
    seen = Finding(status=FindingStatus.SUSPECT, summary="somebody's address is in it")
    incident.take(found(incident.state, step, seen), OFFERED)
    assert say(incident, "request_change", RequestChange(by="cto", step="rollback"), OFFERED) is None
    asked = page_words(incident.state, incident.state.pages[-1]).body.splitlines()
    assert asked[2:4] == ["Suspect: Deployments", "Changes under way: Roll back (planning)"]
    assert "somebody" not in "".join(asked)
    incident.pass_time(OFFERED + minutes(10))
    lapsed = next(page for page in reversed(incident.state.pages) if page.to == BY)
    assert page_words(incident.state, lapsed).body.splitlines()[0] == (
        f"Offer it again: incident hand-over {name} --to WHO"
    )
