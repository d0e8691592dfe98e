"""An incident as its rules make it, in which people sign whatever counts."""

from functools import cache
from typing import Any

from domain.model.acts import ACTS, given, subject
from domain.model.commands import INCIDENT_COMMANDS
from domain.model.proofs import Proven
from domain.rules.live import LiveIncident
from tests.activities.scopes import environment
from tests.builders import T0, declaration, minutes, with_notices
from tests.delegating import delegation
from tests.records import INCIDENT
from tests.signed_records import Entries, claim, keys, verified

STAND_IN = delegation(role="cto", to="security-lead", by="cto")
SAID: list[tuple[str, str, dict[str, Any]]] = [
    ("devops-lead", "acknowledge", {}),
    ("security-lead", "note", {"text": "seen"}),
    ("cto", "record_fact", {"fact": "belief_at", "at": T0 + minutes(1)}),
    ("devops-lead", "complete_task", {"step": "assess", "note": "all of it"}),
    ("devops-lead", "hand_over", {"to": "security-lead"}),
    ("security-lead", "take_command", {"of": "devops-lead"}),
    ("cto", "delegate", {"delegation": STAND_IN}),
    ("security-lead", "reclassify", {"severity": "P1", "reason": "half of them"}),
    ("security-lead", "end_delegation", {"delegation": STAND_IN.id, "reason": "the CTO is back"}),
    ("devops-lead", "mitigated", {"summary": "rolled back"}),
    ("privacy-officer", "acknowledge", {}),
    ("privacy-officer", "discharge_obligation", {"step": "statement", "reference": "r-1"}),
    ("security-lead", "custody", {"evidence": "copies", "event": "released", "reason": "asked for", "to": "counsel"}),
    ("devops-lead", "resolve", {"summary": "steady"}),
]


def say(incident: LiveIncident, minute: float, by: str, name: str, **payload: Any) -> None:
    """Let somebody say and sign something."""
    said = given(INCIDENT_COMMANDS[name](by=by, **payload))
    signed = claim(by, ACTS[name], subject(name, said), T0 + minutes(minute), step=said.get("step"))
    proof = keys().proof(signed)
    command = INCIDENT_COMMANDS[name](by=by, proof=proof, **payload)
    proven = command.with_verdict(Proven.model_validate(verified(proof)))
    assert (reason := incident.hear(name, proven, T0 + minutes(minute))) is None, reason


@cache
def lived() -> Entries:
    """What is on record of it: the second who signs agrees to what the first has proposed."""
    where = environment(kind="production")
    begun = declaration(incident_id=INCIDENT, environment=where, runbook=with_notices(), phi=True)
    incident = LiveIncident.declared(begun)
    for minute, (by, name, payload) in enumerate(SAID, start=2):
        say(incident, minute, by, name, **payload)
        if name == "discharge_obligation":
            (duty,) = [one for one in incident.state.obligations if one.step == payload["step"]]
            assert duty.ending is not None
            say(incident, minute + 0.5, "cto", name, step=payload["step"], proposal=duty.ending.digest())
    return [
        {name: value for name, value in one.model_dump().items() if name not in {"seq", "prev", "hash"}}
        for one in incident.timeline.entries
    ]
