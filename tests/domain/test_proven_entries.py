"""Whatever counts is asked a proof for, over just what was said; what happens by itself is told apart from it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.model import acts
from domain.model.commands import INCIDENT_COMMANDS
from domain.model.event_kinds import COUNTED, ENDING, KINDS
from domain.model.events import ORCHESTRATOR
from domain.model.proofs import Unproven
from domain.model.timeline import Entry
from domain.rehearsal.record import read
from domain.rehearsal.rehearse import Rehearser
from domain.rules.proven_entries import UnsaidError, claims
from tests.activities.scopes import environment
from tests.builders import declaration, minutes, owed, runbook
from tests.delegating import delegation
from tests.domain.test_rehearsal import CLASSES, documents
from tests.proven import Proving

STAGING = environment().model_copy(update={"kind": "staging"})
NOT_OF_ITS_CLAIM = {"text", "seq", "at", "prev", "hash", "v"}


STAND_IN = delegation(to="privacy-officer")


def played() -> Proving:
    """An incident in which everything that counts was said."""
    made = Proving(declaration(environment=STAGING, phi=True, obligations=owed(), runbook=runbook()))
    said: list[tuple[str, str, dict[str, Any]]] = [
        ("acknowledge", "devops-lead", {}),
        ("acknowledge", "privacy-officer", {}),
        ("note", "cto", {"text": "looked at"}),
        ("hand_over", "devops-lead", {"to": "security-lead"}),
        ("take_command", "security-lead", {"of": "devops-lead"}),
        ("reclassify", "cto", {"severity": "P1", "reason": "no patient waits"}),
        (
            "record_fact",
            "privacy-officer",
            {"fact": "suspicion_at", "at": "2026-11-22T13:00:00+11:00", "reason": "logs"},
        ),
        ("discharge_obligation", "cto", {"step": "assessment", "reference": "minutes 7", "outcome": "remediated"}),
        ("custody", "security-lead", {"evidence": "e-1", "event": "accessed", "reason": "looked"}),
        ("custody", "security-lead", {"evidence": "e-1", "event": "released", "reason": "asked for", "to": "police"}),
        ("delegate", "devops-lead", {"delegation": STAND_IN.model_dump(mode="json", exclude_none=True)}),
        ("end_delegation", "privacy-officer", {"delegation": STAND_IN.id, "reason": "not needed"}),
        ("mitigated", "devops-lead", {"summary": "rolled back"}),
        ("reopen", "devops-lead", {"reason": "again"}),
        ("acknowledge", "devops-lead", {}),
        ("mitigated", "devops-lead", {"summary": "rolled back"}),
        ("resolve", "devops-lead", {"summary": "fixed"}),
        ("complete_task", "devops-lead", {"step": "assess", "note": "done"}),
        ("waive_task", "technical-manager", {"step": "review", "reason": "was reviewed"}),
        ("complete_task", "devops-lead", {"step": "training"}),
    ]
    for name, by, payload in said:
        assert made.say(name, by, **payload) is None, name
    standing = made.incident.state.obligation("assessment").ending
    assert standing is not None
    assert made.say("discharge_obligation", "technical-manager", step="assessment", proposal=standing.digest()) is None
    assert made.say("close", "devops-lead") is None
    return made


PLAYED = played()
DECLARED = PLAYED.incident.state.declaration
COUNTING = [entry for entry in PLAYED.entries if entry.kind in COUNTED and "proof" in entry.cause]


def test_everything_that_counts_was_said() -> None:
    """The incident above leaves no kind out, but for what has tests of its own below."""
    assert {one.kind for one in COUNTING} == COUNTED - {"false-alarm", "drill-ended"}
    assert set(KINDS) >= COUNTED
    assert ENDING <= COUNTED
    assert set(acts.ACTS) == set(INCIDENT_COMMANDS)


@pytest.mark.parametrize("entry", COUNTING, ids=lambda one: f"{one.seq}-{one.kind}")
def test_what_is_asked_for_is_what_was_signed(entry: Entry) -> None:
    """Of whoever did it first, and of all whose signature stands in it."""
    asked = claims(DECLARED, entry, [STAND_IN])
    for one in asked:
        claim = one.proof["claim"]
        assert (claim["by"], claim["act"], claim["subject"], claim["step"]) == (one.by, one.act, one.subject, one.step)
        assert (claim["environment"], claim["incident"]) == (STAGING.name, DECLARED.incident_id)
    if entry.kind == "task" and entry.data["step"] == "training":
        assert asked == []  # it is not required
    else:
        assert asked[0].by == entry.actor


def test_both_who_sign_a_duty_are_asked_for() -> None:
    last = [one for one in COUNTING if one.kind == "obligation" and one.data["step"] == "assessment"][-1]
    assert [one.by for one in claims(DECLARED, last)] == ["technical-manager", "cto"]


def test_who_takes_command_and_who_offered_it_are_asked_for() -> None:
    (taken,) = [one for one in COUNTING if one.kind == "command-taken"]
    (offered,) = [one for one in COUNTING if one.kind == "hand-over"]
    by, of = claims(DECLARED, taken)
    assert [(one.by, one.act) for one in (by, of)] == [("security-lead", "take-command"), ("devops-lead", "hand-over")]
    assert (of.said_at, of.proof) == (offered.at, offered.cause["proof"])


def test_nothing_is_asked_for_in_a_sandbox() -> None:
    free = DECLARED.model_copy(update={"environment": environment(kind="sandbox")})
    assert all(claims(free, entry) == [] for entry in PLAYED.entries)


@pytest.mark.parametrize("entry", COUNTING, ids=lambda one: f"{one.seq}-{one.kind}")
def test_none_of_it_happens_by_itself(entry: Entry) -> None:
    """Said by our own code, or of a cause that is no command, it asks for a proof all the same, or is refused."""
    if entry.kind == "task" and entry.data["step"] == "training":
        return
    for cause in ({"deadline": "x"}, {}, {"answer": "probe"}, {"command": "start"}, {"command": "note"}):
        other = entry.model_copy(update={"actor": ORCHESTRATOR, "cause": cause})
        with pytest.raises(UnsaidError):
            claims(DECLARED, other, [STAND_IN])


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [leaf for key, inner in enumerate(value) for leaf in _leaves(inner, (*path, key))]
    return [path]


SPOKEN = {"commander", "joins", "title", "keep_until", "from", "at", "until"}
"""What an event says beside what was said: it follows from the record, or is told in another's words."""

MEANT = [
    (entry, path)
    for entry in COUNTING
    if not (entry.kind == "task" and entry.data["step"] == "training")
    for path in _leaves(entry.data)
    if path[-1] not in SPOKEN and "proof" not in path and "verified" not in path
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(MEANT), st.data())
def test_what_an_event_says_was_signed(meant: tuple[Entry, tuple[Any, ...]], data: st.DataObject) -> None:
    """Another value anywhere in it is refused, or asks for another claim than the one that stands there."""
    entry, path = meant
    changed = json.loads(json.dumps(entry.data))
    at = changed
    for key in path[:-1]:
        at = at[key]
    before = at[path[-1]]
    others = ["P0", "P2", "2026-11-23T04:00:00Z", "2026-11-21T01:00:00Z", "cto", "waived", "released", "other", None]
    at[path[-1]] = data.draw(st.sampled_from([one for one in others if one != before]))
    other = entry.model_copy(update={"data": changed})
    try:
        asked = claims(DECLARED, other, [STAND_IN])
    except ValueError:
        return
    honest = [(one.by, one.act, one.subject, one.step) for one in claims(DECLARED, entry, [STAND_IN])]
    assert [(one.by, one.act, one.subject, one.step) for one in asked] != honest


def test_a_false_alarm_is_signed() -> None:
    made = Proving(declaration(environment=STAGING, runbook=runbook()))
    made.say("acknowledge", "devops-lead")
    assert made.say("false_alarm", "devops-lead", reason="a test") is None
    (asked,) = claims(made.incident.state.declaration, made.entries[-1])
    assert (asked.act, asked.by) == ("false-alarm", "devops-lead")


def test_a_claim_counts_once() -> None:
    """What is said again under the same signature is refused: it was meant once."""
    made = Proving(declaration(environment=STAGING, runbook=runbook()))
    made.say("acknowledge", "devops-lead")
    lower: dict[str, Any] = {"severity": "P2", "reason": "no patient waits"}
    proof = made.proof("reclassify", "cto", **lower)
    assert made.say("reclassify", "cto", **lower, proof=proof) is None
    assert made.say("reclassify", "cto", minutes(1), severity="P0", reason="they do") is None
    said = made.say("reclassify", "cto", minutes(1), **lower, proof=proof)
    assert said == "it was signed for something that is done already: sign it again"


def test_an_unsigned_note_is_marked() -> None:
    made = Proving(declaration(environment=STAGING, runbook=runbook()))
    made.say("note", "cto", text="looked at")
    signed = made.proof("note", "cto", text="looked at again")
    made.say("note", "cto", text="looked at again", proof=signed)
    notes = [entry for entry in made.entries if entry.kind == "note"]
    assert [one.text for one in notes] == ["looked at (unsigned)", "looked at again"]
    assert "proof" in notes[1].cause


def test_an_agreement_is_to_what_stands() -> None:
    """Whoever agrees to another ending than the one that stands is told to look again."""
    made = Proving(declaration(environment=STAGING, phi=True, obligations=owed(), runbook=runbook()))
    made.say("acknowledge", "devops-lead")
    said = {"step": "assessment", "reference": "minutes 7", "outcome": "remediated"}
    made.say("discharge_obligation", "cto", timedelta(minutes=1), **said)
    first = made.incident.state.obligation("assessment").ending
    assert first is not None
    made.say("discharge_obligation", "cto", timedelta(minutes=1), **{**said, "reference": "minutes 8"})
    agreed: dict[str, Any] = {"step": "assessment", "proposal": first.digest()}
    refused = made.say("discharge_obligation", "technical-manager", **agreed)
    assert refused == "another ending of 'assessment' stands than the one that is agreed to: look at it again"


def test_who_proposes_and_agrees_at_one_instant_is_on_record() -> None:
    """Two commands may be heard at the same time: the signature of the first came with the entry of the first."""
    made = Proving(declaration(environment=STAGING, phi=True, obligations=owed(), runbook=runbook()))
    made.say("acknowledge", "devops-lead")
    made.say("discharge_obligation", "cto", step="assessment", reference="minutes 7", outcome="remediated")
    standing = made.incident.state.obligation("assessment").ending
    assert standing is not None
    assert made.say("discharge_obligation", "cto", minutes(0), step="assessment", proposal=standing.digest()) is None
    first, second = (one for one in made.entries if one.kind == "obligation")
    own, earlier = claims(made.incident.state.declaration, second)
    assert (first.at, own.proof, earlier.proof) == (second.at, second.cause["proof"], first.cause["proof"])
    assert earlier.said_at == first.at


def test_the_second_unproven_is_paged_once() -> None:
    """Whoever sees to security is paged, however much else is refused meanwhile, and however many follow."""
    made = Proving(declaration(environment=STAGING, runbook=runbook()))
    made.say("acknowledge", "devops-lead")
    guard = made.incident.state.declaration.organisation.guard
    for number in range(200):
        made.incident.refuse("close", "cto", "it cannot be read", made.now)
        if number % 50 == 0:
            before = len(made.incident.state.pages)
            made.incident.refuse("close", "cto", Unproven("it is not signed"), made.now)
            paged = made.incident.state.pages[before:]
            assert [one.role for one in paged] == ([guard] if number == 50 else [])
    assert "for the second time close of the incident was not proven" in made.incident.state.pages[-1].reason


def test_a_signed_record_is_rehearsed_without_a_difference() -> None:
    """What was refused as unproven is refused again, though the rules alone would do it."""
    made = Proving(declaration(environment=STAGING, runbook=runbook()))
    made.say("acknowledge", "devops-lead")
    made.incident.refuse("mitigated", "cto", Unproven("it is not signed"), made.now)
    made.incident.refuse("mitigated", "cto", Unproven("it is not signed"), made.now)
    made.say("note", "cto", text="looked at")
    made.say("reclassify", "cto", severity="P1", reason="no patient waits")
    made.say("mitigated", "devops-lead", minutes(5), summary="rolled back")
    record = read(made.entries)
    assert Rehearser(CLASSES).rehearse(record, documents(record)) == []


@pytest.mark.parametrize("values", [{}, {"count": 3}, {"addresses": ["198.51.100.7"], "reason": "x"}])
def test_a_request_is_over_what_goes_on_record(values: dict[str, Any]) -> None:
    """The hands work the subject out anew, from step and parameters alone."""
    request = acts.read("request_change", {"by": "cto", "step": "rollback", "set": values})
    assert acts.of_request("rollback", values) == acts.subject("request_change", acts.given(request))
    undo = acts.read("undo", {"by": "cto", "step": "rollback"})
    assert acts.of_undo("rollback") == acts.subject("undo", acts.given(undo))
