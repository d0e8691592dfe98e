"""What random people may say to an incident and to its changes, and what must always hold of both."""

from datetime import UTC

from hypothesis import strategies as st

from domain.model.commands import (
    Acknowledge,
    Approve,
    Cancel,
    Close,
    Command,
    CompleteTask,
    Custody,
    DischargeObligation,
    FalseAlarm,
    Mitigated,
    Note,
    ObligationNotRequired,
    OfferCommand,
    Reclassify,
    RecordFact,
    Reject,
    Reopen,
    RequestChange,
    Resolve,
    SupersedeObligation,
    TakeCommand,
    Undo,
    WaiveTask,
)
from domain.model.records import ChangeStatus
from domain.values.severity import Severity
from domain.values.status import Status
from tests.builders import CHAIN, LEADS, T0, minutes
from tests.domain.changing import plan

EDGES = {
    Status.DECLARED: {Status.ACKNOWLEDGED, Status.FALSE_ALARM},
    Status.ACKNOWLEDGED: {Status.MITIGATED, Status.FALSE_ALARM, Status.DECLARED},
    Status.MITIGATED: {Status.RESOLVED, Status.DECLARED, Status.FALSE_ALARM},
    Status.RESOLVED: {Status.CLOSED, Status.DECLARED, Status.FALSE_ALARM},
    Status.CLOSED: set(),
    Status.FALSE_ALARM: set(),
}
"""Where one command may lead, beside staying; and where an acknowledgement lapses."""

KNOWN = st.sampled_from([*LEADS, *CHAIN])
PEOPLE = st.one_of(KNOWN, st.sampled_from(["incident-commander", "incident-commander", "insurer", "a-stranger"]))
TEXT = st.text(min_size=1, max_size=8)
STEPS = st.sampled_from(["rollback", "rollback", "scale-up", "promote", "health", "nothing"])
TASKS = st.sampled_from(["assess", "review", "training", "nothing"])
FACTS = st.sampled_from(["suspicion_at", "belief_at", "nothing_at"])
DUTIES = st.sampled_from(["assessment", "statement", "officer-told", "nothing"])
SIGNERS = st.one_of(PEOPLE, st.sampled_from(["privacy-officer", "technical-manager", "cto"]))
PAST = st.datetimes(T0.replace(tzinfo=None) - minutes(6000), T0.replace(tzinfo=None), timezones=st.just(UTC))
CLASSES = ["A1", "A2", "A3"]
PLANNED = st.sampled_from(["A2", "A1", "A2", "A3", "A1", "nothing", "denied"])
APPLIED = st.sampled_from(["applied"] * 5 + ["already-done", "somebody else", "stale", "failed"])
VERIFIED = st.sampled_from([ChangeStatus.APPLIED] * 3 + [ChangeStatus.FAILED])

LIFE = (
    st.builds(Acknowledge, by=PEOPLE),
    st.builds(Mitigated, by=PEOPLE, summary=TEXT),
    st.builds(Resolve, by=PEOPLE, summary=TEXT),
    st.builds(Close, by=PEOPLE),
    st.builds(Reopen, by=PEOPLE, reason=TEXT),
)
FITTING = {
    Status.DECLARED: LIFE[0],
    Status.ACKNOWLEDGED: LIFE[1],
    Status.MITIGATED: st.one_of(LIFE[2], LIFE[4]),
    Status.RESOLVED: st.one_of(LIFE[3], LIFE[4]),
}
"""What leads on from a status; everything else of a life comes at the wrong time."""
ANYTHING = st.one_of(
    *LIFE,
    st.builds(CompleteTask, by=PEOPLE, step=TASKS),
    st.builds(WaiveTask, by=PEOPLE, step=TASKS, reason=TEXT),
    st.builds(Note, by=PEOPLE, text=TEXT),
    st.builds(Custody, by=PEOPLE, evidence=TEXT, event=st.sampled_from(["received", "accessed"]), reason=TEXT),
    st.builds(Reclassify, by=PEOPLE, severity=st.sampled_from(Severity), reason=TEXT),
    st.builds(OfferCommand, by=st.just("incident-commander"), to=KNOWN),
    st.builds(TakeCommand, by=KNOWN, of=KNOWN),
    st.builds(FalseAlarm, by=st.sampled_from(["a-stranger", "insurer", "ceo"]), reason=TEXT),
    st.builds(RecordFact, by=SIGNERS, fact=FACTS, at=st.none() | PAST, reason=st.none() | TEXT),
    st.builds(
        DischargeObligation,
        by=SIGNERS,
        step=DUTIES,
        reference=st.none() | TEXT,
        outcome=st.sampled_from([None, "not-eligible", "anything"]),
        at=st.none() | PAST,
        justification=st.none() | TEXT,
    ),
    st.builds(ObligationNotRequired, by=SIGNERS, step=DUTIES, reason=st.none() | TEXT),
    st.builds(SupersedeObligation, by=SIGNERS, step=DUTIES, reason=st.none() | TEXT),
)
REQUESTS = st.one_of(
    st.builds(RequestChange, by=PEOPLE, step=STEPS, set=st.sampled_from([{}, {}, {"count": 4}])),
    st.builds(Undo, by=KNOWN, step=st.sampled_from(["rollback", "rollback", "promote"])),
)
DIGESTS = st.sampled_from([*(plan(name).digest for name in CLASSES), "0" * 64])
VOTES = st.one_of(
    st.builds(Approve, by=PEOPLE, digest=DIGESTS),
    st.builds(Approve, by=PEOPLE, digest=DIGESTS),
    st.builds(Reject, by=PEOPLE, reason=TEXT),
    st.builds(Cancel, by=PEOPLE, reason=TEXT),
)

NAMES: dict[type[Command], str] = {
    Acknowledge: "acknowledge",
    Mitigated: "mitigated",
    Resolve: "resolve",
    Close: "close",
    CompleteTask: "complete_task",
    WaiveTask: "waive_task",
    Note: "note",
    Custody: "custody",
    RecordFact: "record_fact",
    DischargeObligation: "discharge_obligation",
    ObligationNotRequired: "obligation_not_required",
    SupersedeObligation: "supersede_obligation",
    Reclassify: "reclassify",
    Reopen: "reopen",
    FalseAlarm: "false_alarm",
    OfferCommand: "hand_over",
    TakeCommand: "take_command",
    RequestChange: "request_change",
    Undo: "undo",
    Approve: "approve",
    Reject: "reject",
    Cancel: "cancel",
}
