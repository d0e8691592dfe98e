"""A commander who gives no sign of life is paged, then whoever is on call and the chain, until one acknowledges."""

from typing import Any

import pytest

from domain.model.change_events import VoteCast
from domain.model.commands import (
    Acknowledge,
    Command,
    CompleteTask,
    Mitigated,
    Note,
    OfferCommand,
    Reclassify,
    RequestChange,
    Resolve,
    TakeCommand,
)
from domain.model.declaration import Alert
from domain.model.effects import TellChanges
from domain.model.event_kinds import Happening
from domain.rehearsal.record import read
from domain.rehearsal.rehearse import Rehearser
from domain.rules import clock
from domain.rules.document import document
from domain.rules.evolve import fold
from domain.rules.live import LiveIncident
from domain.rules.messages import page_words
from domain.values.severity import Severity
from domain.values.status import Status
from domain.values.timestamps import stamp
from tests.activities.scopes import environment
from tests.builders import T0, declaration, minutes, organisation
from tests.domain.speaking import BY, say
from tests.domain.test_clock import FIRST, pages, walk
from tests.domain.test_rehearsal import CLASSES, documents

ACK = ("acknowledge", Acknowledge(by=BY))


def incident(**changes: Any) -> LiveIncident:
    """One whose policy asks for a sign of life every half hour of a P0."""
    return LiveIncident.declared(declaration(**{"organisation": organisation(sign_of_life="30m"), **changes}))


def entries(made: LiveIncident, kind: str) -> list[str]:
    return [entry.text for entry in made.timeline.entries if entry.kind == kind]


def test_who_is_paged() -> None:
    """The commander alone after thirty minutes of silence; five minutes later everybody, as if nobody had answered."""
    made = incident()
    walk(made, T0 + minutes(64), {3: ACK})
    everybody = [*FIRST, "cto", "ceo"]
    expected = {0: FIRST, 30: ["cto"], 33: [BY], **dict.fromkeys((38, 40, 45, 50, 55, 60), everybody)}
    assert {minute: sorted(roles) for minute, roles in pages(made).items()} == {
        minute: sorted(roles) for minute, roles in expected.items()
    }
    assert {page.reason for page in made.state.pages if page.at > T0 + minutes(38)} == {f"no sign of life of {BY}"}
    assert entries(made, "sign-of-life-asked") == [
        f"No sign of life of {BY} since 2026-11-23T03:03:00Z; the acknowledgement lapses at 2026-11-23T03:38:00Z"
    ]
    assert entries(made, "acknowledgement-lapsed") == [
        f"The acknowledgement has lapsed: no sign of life of {BY} since 2026-11-23T03:03:00Z"
    ]
    assert (made.state.status, made.state.commander, made.state.acknowledged_at) == (Status.DECLARED, BY, None)
    assert made.state.policy.respond == minutes(15)
    assert [(clock.name, clock.state) for clock in made.state.clocks if clock.name == "ack"] == [
        ("ack", "met"),
        ("ack", "breached"),
    ]
    assert fold(made.timeline.entries) == made.state


def test_without_the_policy_no_acknowledgement_lapses() -> None:
    made = incident(organisation=organisation())
    walk(made, T0 + minutes(600), {3: ACK})
    assert pages(made) == {0: FIRST, 30: ["cto"], 60: ["ceo"]}


def test_whoever_acknowledges_then_commands() -> None:
    """Changes under way learn of it, nobody is paged any more, and the silent one may come back as a responder."""
    made = incident()
    request = ("request_change", RequestChange(by="cto", step="rollback"))
    walk(made, T0 + minutes(38), {3: ACK, 4: request})
    made.effects = []
    assert say(made, "acknowledge", Acknowledge(by="security-lead"), T0 + minutes(39)) is None
    assert (made.state.status, made.state.commander) == (Status.ACKNOWLEDGED, "security-lead")
    told = {"commander": "security-lead", "at": "2026-11-23T03:39:00Z"}
    assert made.effects == [TellChanges((f"{made.state.id}/rollback/1",), "commander_is", told)]
    before = len(made.state.pages)
    assert say(made, "acknowledge", Acknowledge(by=BY), T0 + minutes(40)) is None
    assert made.state.commander == "security-lead"
    walk(made, T0 + minutes(68))
    assert made.state.pages[before:] == []
    assert made.state.first_acknowledged_at == T0 + minutes(3)


def test_the_silent_one_may_acknowledge_again() -> None:
    made = incident()
    walk(made, T0 + minutes(38), {3: ACK})
    assert say(made, "acknowledge", Acknowledge(by=BY), T0 + minutes(39)) is None
    assert (made.state.status, made.state.commander, made.state.lapsed) == (Status.ACKNOWLEDGED, BY, False)


SIGNS: list[tuple[str, Command]] = [
    ("acknowledge", Acknowledge(by=BY)),
    ("note", Note(by=BY, text="looking")),
    ("note", Note(by="incident-commander", text="looking")),
    ("request_change", RequestChange(by=BY, step="rollback")),
    ("complete_task", CompleteTask(by=BY, step="assess")),
    ("hand_over", OfferCommand(by=BY, to="cto")),
]


@pytest.mark.parametrize(("name", "command"), SIGNS)
@pytest.mark.parametrize("minute", [20, 34])
def test_a_sign_of_life_counts_from_itself(name: str, command: Command, minute: float) -> None:
    """Before the commander is paged about it and after."""
    made = incident()
    walk(made, T0 + minutes(minute + 29), {3: ACK, minute: (name, command)})
    asked = [page.at for page in made.state.pages if page.reason.startswith("no sign of life")]
    assert asked == ([T0 + minutes(33)] if minute == 34 else [])
    walk(made, T0 + minutes(minute + 30))
    assert [page.at for page in made.state.pages if page.reason.startswith("no sign of life")] == [
        *asked,
        T0 + minutes(minute + 30),
    ]
    assert made.state.status is Status.ACKNOWLEDGED


def test_a_vote_is_a_sign_of_life() -> None:
    made = incident()
    walk(made, T0 + minutes(10), {3: ACK, 4: ("request_change", RequestChange(by="cto", step="rollback"))})
    vote = VoteCast(
        step="rollback",
        workflow_id=f"{made.state.id}/rollback/1",
        decision="approve",
        role="incident-commander",
        digest="0" * 64,
        title="Roll back",
    )
    made.take([Happening(vote, BY, T0 + minutes(20), {"command": "approve"})], T0 + minutes(21))
    assert made.state.commander_heard_at == T0 + minutes(20)


def test_what_others_do_is_none() -> None:
    """Nor what is refused, nor an alert that is declared in the commander's name."""
    made = incident()
    walk(made, T0 + minutes(25), {3: ACK, 20: ("note", Note(by="cto", text="and?"))})
    assert say(made, "resolve", Resolve(by=BY, summary="too early"), T0 + minutes(26)) is not None
    assert made.hear_alert(Alert(by=BY, text="again"), T0 + minutes(26)) is None
    assert made.state.commander_heard_at == T0 + minutes(3)


def test_what_nobody_has_proven_is_none() -> None:
    """Outside a sandbox an unsigned note may be anybody's."""
    made = incident(environment=environment(kind="staging"))
    walk(made, T0 + minutes(25), {3: ACK, 20: ("note", Note(by=BY, text="looking"))})
    assert made.state.commander_heard_at == T0 + minutes(3)
    free = say(made, "complete_task", CompleteTask(by=BY, step="training"), T0 + minutes(25))
    assert (free, made.state.commander_heard_at) == (None, T0 + minutes(3))


def test_mitigation_ends_it() -> None:
    made = incident()
    walk(made, T0 + minutes(600), {3: ACK, 20: ("mitigated", Mitigated(by="cto", summary="rolled back"))})
    assert pages(made) == {0: FIRST}


def test_a_severity_counts_from_its_change() -> None:
    """Raised to P0 by somebody else, the commander has thirty minutes; lowered, nothing is asked any more."""
    raised = Reclassify(by="cto", severity=Severity.P0, reason="more")
    made = incident(severity=Severity.P1)
    walk(made, T0 + minutes(69), {3: ACK, 40: ("reclassify", raised)})
    assert entries(made, "sign-of-life-asked") == []
    walk(made, T0 + minutes(70))
    assert len(entries(made, "sign-of-life-asked")) == 1
    lowered = Reclassify(by="cto", severity=Severity.P1, reason="less")
    walk(made, T0 + minutes(600), {71: ("reclassify", lowered)})
    assert entries(made, "acknowledgement-lapsed") == []


@pytest.mark.parametrize("speed", [1, 60])
def test_it_keeps_the_speed_of_the_incident(speed: float) -> None:
    made = incident(speed=speed)
    walk(made, T0 + minutes(38) / speed, {3 / speed: ACK})
    lapsed = next(entry for entry in made.timeline.entries if entry.kind == "acknowledgement-lapsed")
    assert lapsed.at == T0 + minutes(38) / speed
    assert lapsed.cause == {"deadline": f"acknowledgement of {BY} lapses", "due_at": stamp(lapsed.at)}


def test_whoever_was_not_asked_loses_nothing() -> None:
    """Where nobody looked for an hour, the commander is asked first, and has as long as anybody else."""
    made = incident()
    walk(made, T0 + minutes(4), {3: ACK})
    made.pass_time(T0 + minutes(90))
    assert made.state.status is Status.ACKNOWLEDGED
    assert clock.next_due(made.state) == (T0 + minutes(95), f"acknowledgement of {BY} lapses")


def test_what_the_page_asks_for() -> None:
    made = incident()
    walk(made, T0 + minutes(33), {3: ACK})
    words = page_words(made.state, made.state.pages[-1])
    assert words.subject == "no sign of life since 2026-11-23T03:03:00Z"
    name = made.state.id
    assert words.body.splitlines() == [
        f"Say that you are there, or your acknowledgement lapses: incident ack {name}",
        f"Or let somebody else command: incident hand-over {name} --to WHO",
    ]
    walk(made, T0 + minutes(38))
    assert page_words(made.state, made.state.pages[-1]).body == f"Acknowledge: incident ack {name}"
    shown = document(made.state)
    assert (shown["commander"], shown["commander_heard_at"]) == (BY, "2026-11-23T03:03:00Z")
    assert {"lapsed", "commander_asked_at"}.isdisjoint(shown)
    assert shown["next"][0]["why"] == f"no sign of life of {BY}"


def test_a_dry_run_and_a_policy_of_nothing() -> None:
    made = incident(mode="dry-run")
    walk(made, T0 + minutes(60), {3: ACK})
    assert entries(made, "sign-of-life-asked") == []
    with pytest.raises(ValueError, match="sign_of_life must be longer than nothing"):
        organisation(sign_of_life="0m")


def test_the_record_is_rehearsed_without_a_difference() -> None:
    """Silence, what it led to, and command that is handed over are played again as they were."""
    made = incident()
    over, taken = OfferCommand(by="cto", to="ceo"), TakeCommand(by="ceo", of="cto")
    said: dict[float, tuple[str, object]] = {
        3: ACK,
        44: ("acknowledge", Acknowledge(by="cto")),
        50: ("hand_over", over),
        51: ("take_command", taken),
        55: ("hand_over", OfferCommand(by="ceo", to="cto")),
    }
    walk(made, T0 + minutes(200), said)
    assert made.state.commander == "ceo"
    kinds = {entry.kind for entry in made.timeline.entries}
    assert kinds >= {"acknowledgement-lapsed", "command-taken", "hand-over-lapsed"}
    record = read(made.timeline.entries)
    assert Rehearser(CLASSES).rehearse(record, documents(record)) == []
