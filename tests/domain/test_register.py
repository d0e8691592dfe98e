"""The breach register: what is in it, what it says was decided, and what it must not say."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.config.obligation import BreachRegister, Obligations
from domain.model.duty_records import Ending, FactRecord, ObligationRecord
from domain.model.state import IncidentState
from domain.values.status import Status
from reporting.register.breach_register import (
    BEING_ASSESSED,
    ELIGIBLE,
    FALSE_ALARM,
    UNDECIDED,
    RegisterEntry,
    entry,
    suspected_by,
)
from tests.builders import T0, minutes
from tests.domain.histories import Said, altered, answered, days, folded, obligations, register

DAY = timedelta(days=1)
LEGAL, PRIVACY, COMPLIANCE = "legal-counsel", "privacy-officer", "compliance-officer"
BELIEF = Said(days(2), "record_fact", {"fact": "belief_at", "reason": "the log shows the download"}, LEGAL)


def signed(day: float, command: str, *by: str, **payload: Any) -> list[Said]:
    return [Said(days(day), command, payload, who) for who in by]


def assessed(day: float, outcome: str, **more: Any) -> list[Said]:
    """The assessment, discharged by both who must sign."""
    step = {"step": "ndb-assessment", "outcome": outcome, "reference": "LEGAL-7", **more}
    return signed(day, "discharge_obligation", LEGAL, COMPLIANCE, **step)


NOT_REQUIRED = {"step": "ndb-assessment", "reason": "the copy never left our network"}
STATED = signed(3, "discharge_obligation", LEGAL, PRIVACY, step="ndb-statement", reference="NDB-2026-0117")


def told(said: list[Said], *, after: float = 1, type_: str = "data-breach", **changes: Any) -> RegisterEntry:
    """What the register says so many days after the declaration; nobody is paged meanwhile."""
    return entry(folded(type_, "P0", [*answered(1, 2), *said], **changes), register(), T0 + after * DAY)


@pytest.mark.parametrize(
    ("said", "decision", "expected"),
    [
        ([], BEING_ASSESSED, {"assessment_due_at": T0 + 30 * DAY, "decided_at": None}),
        ([BELIEF], ELIGIBLE, {"decided_at": T0 + 2 * DAY, "reason": "the log shows the download"}),
        (assessed(9, "not-eligible"), "not-eligible", {"decided_at": T0 + 9 * DAY, "reference": "LEGAL-7"}),
        (assessed(9, "remediated"), "remediated", {"decided_at": T0 + 9 * DAY}),
        (assessed(1, "not-eligible")[:1], BEING_ASSESSED, {"reference": None, "signed_by": []}),
        ([*assessed(1, "not-eligible"), BELIEF], ELIGIBLE, {"decided_at": T0 + 2 * DAY}),
        (
            signed(4, "obligation_not_required", LEGAL, COMPLIANCE, **NOT_REQUIRED),
            "not-required",
            {"reason": NOT_REQUIRED["reason"], "decided_at": T0 + 4 * DAY},
        ),
        (
            signed(
                4, "supersede_obligation", LEGAL, COMPLIANCE, step="ndb-assessment", reason="s 26WD: told under s 75"
            ),
            "superseded",
            {"reason": "s 26WD: told under s 75"},
        ),
    ],
)
def test_the_decision_is_that_of_facts_and_duties(said: list[Said], decision: str, expected: dict[str, Any]) -> None:
    """A belief makes it eligible whatever was decided before; else the assessment's end decides; else it goes on."""
    one = told(said)
    assert one.decision == decision
    assert {name: getattr(one, name) for name in expected} == expected


def test_signers_are_named_by_their_roles() -> None:
    one = told(assessed(9, "not-eligible"))
    assert [(s.role, s.at) for s in one.signed_by] == [(LEGAL, T0 + 9 * DAY), (COMPLIANCE, T0 + 9 * DAY)]


def test_the_statement_to_the_regulator() -> None:
    """None until there is a belief; then open until its own ceiling, late after it, and ended with its reference."""
    assert told([]).statement is None
    waiting = told([BELIEF], after=3).statement
    assert waiting is not None
    assert (waiting.state, waiting.due_at, waiting.overdue) == ("open", T0 + 5 * DAY, False)
    late = told([BELIEF], after=6).statement
    assert late is not None
    assert late.overdue
    half = told([BELIEF, *STATED[:1]], after=3).statement
    assert half is not None
    assert (half.state, half.reference, half.done_at) == ("open", None, None)
    assert [one.role for one in half.signed_by] == [LEGAL]
    done = told([BELIEF, *STATED], after=9).statement
    assert done is not None
    assert (done.state, done.reference, done.done_at, done.overdue) == (
        "discharged",
        "NDB-2026-0117",
        T0 + 3 * DAY,
        False,
    )


@pytest.mark.parametrize(("after", "overdue"), [(29.9, False), (30.1, True)])
def test_thirty_days_run_out_without_a_worker(after: float, overdue: bool) -> None:
    """Overdue is as of now, though the record has no entry that says so."""
    one = told([], after=after)
    assert (one.decision, one.assessment_overdue) == (BEING_ASSESSED, overdue)


def test_one_signature_of_two_stops_no_time() -> None:
    half = assessed(1, "not-eligible")[:1]
    assert not told(half, after=29).assessment_overdue
    assert told(half, after=31).assessment_overdue


def test_an_assessment_that_was_late_says_why() -> None:
    one = told(assessed(31, "not-eligible", justification="the forensic image came late"), after=40)
    assert (one.assessment_overdue, one.justification) == (True, "the forensic image came late")


@pytest.mark.parametrize(
    ("type_", "said", "changes", "why"),
    [
        ("data-breach", [], {}, ["type", "fact"]),
        ("security", [], {"phi": True}, ["phi", "fact"]),
        ("security", [Said(5, "record_fact", {"fact": "suspicion_at"})], {}, ["fact"]),
        ("security", [Said(5, "record_fact", {"fact": "belief_at"})], {}, ["fact"]),
        ("security", [Said(5, "record_fact", {"fact": "minors_identified_at"})], {}, []),
        ("security", answered(3), {}, []),
    ],
)
def test_what_is_in_the_register(type_: str, said: list[Said], changes: dict[str, Any], why: list[str]) -> None:
    """Declared with health information at stake, of a type that is, or with suspicion or belief on record."""
    assert suspected_by(folded(type_, "P0", said, **changes), register()) == why


def test_what_ended_without_a_decision() -> None:
    """Without a duty on record: a false alarm has its reason, a close without a decision stands out."""
    alarm = folded("security", "P0", [Said(5, "false_alarm", {"reason": "a scan of our own"})])
    one = entry(altered(alarm, {"phi": True}), register(), T0 + DAY)
    assert (one.decision, one.reason, one.decided_at) == (FALSE_ALARM, "a scan of our own", T0 + minutes(5))
    shut = altered(alarm, {"phi": True}, status=Status.CLOSED)
    assert entry(shut, register(), T0 + DAY).decision == UNDECIDED


def test_it_holds_no_text_but_reasons_and_references() -> None:
    """Title, description, notes, summaries and findings may name a patient; none of them is in the register."""
    said = [
        Said(3, "note", {"text": "MARK in a note"}),
        Said(4, "complete_task", {"step": "assess", "note": "MARK in a task"}),
        Said(5, "resolve", {"summary": "MARK in a summary"}),
        BELIEF,
    ]
    one = told(said, title="MARK in the title", description="MARK in the description")
    assert "MARK" not in one.model_dump_json()


@pytest.mark.parametrize("name", ["suspicion", "belief", "assessment", "statement"])
def test_a_register_names_what_is_there(name: str) -> None:
    content = obligations().model_dump(mode="json")
    content["breach_register"][name] = "nothing_at"
    with pytest.raises(ValidationError, match="nothing_at"):
        Obligations.model_validate(content)


BASE = folded("data-breach", "P0", [])
DUTIES = {duty.obligation: duty for duty in BASE.obligations}
STATES = ["open", "discharged", "not-required", "superseded"]


@st.composite
def breaches(draw: st.DrawFn) -> IncidentState:
    """Any breach as far as the register looks at it."""
    recorded = [
        FactRecord(fact=name, title="", value=T0 + draw(st.integers(0, 60)) * DAY, by="cto", at=T0 + 60 * DAY)
        for name in ("suspicion_at", "belief_at")
        if draw(st.booleans())
    ]
    known: list[ObligationRecord] = []
    for name in ("ndb-assessment", "ndb-statement"):
        state = draw(st.sampled_from([None, *STATES]))
        if state is not None:
            done_at = draw(st.sampled_from([T0 + 20 * DAY, T0 + 40 * DAY]))
            outcome = draw(st.sampled_from([None, "not-eligible", "remediated"]))
            ending = Ending(state=state, by="cto", done_at=done_at, outcome=outcome)
            told = {"obligation": name, "state": state, "due_at": T0 + 30 * DAY, "ending": ending}
            known.append(DUTIES["ndb-assessment"].model_copy(update=told))
    status = draw(st.sampled_from(list(Status)))
    return BASE.model_copy(update={"facts": recorded, "obligations": known, "status": status})


@given(breaches(), st.integers(0, 90))
def test_there_is_always_exactly_one_decision(breach: IncidentState, day: int) -> None:
    """Whatever the record holds: a belief is eligible; an open assessment of an open incident is no decision."""
    one = entry(breach, register(), T0 + day * DAY)
    assessment = breach.duty("ndb-assessment")
    assert (one.decision == ELIGIBLE) == (breach.fact("belief_at") is not None)
    undecided = one.decision in {BEING_ASSESSED, FALSE_ALARM, UNDECIDED}
    ended = assessment is not None and assessment.state != "open"
    assert undecided == (one.decision != ELIGIBLE and not ended)
    assert (one.decision == BEING_ASSESSED) == (undecided and not breach.ended)
    if one.assessment_overdue:
        assert one.assessment_due_at is not None
    assert RegisterEntry.model_validate_json(one.model_dump_json()) == one


def test_the_shipped_register_reads_the_shipped_duties() -> None:
    assert register() == BreachRegister(
        types=("data-breach",),
        suspicion="suspicion_at",
        belief="belief_at",
        assessment="ndb-assessment",
        statement="ndb-statement",
    )
