"""What counts beside changes is signed too: what an incident's own rules put on record is proven, and nothing else."""

from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.model.acts import ACTS, subject
from tests.builders import T0, minutes
from tests.delegating import delegation
from tests.mutated_records import Draw, flipped
from tests.signed_lives import lived
from tests.signed_records import Entries, claim, identities, keys
from tests.starters.audited import Checked, Checks
from tests.starters.conftest import Incident

CALM = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
_OFFER = {
    "by": "devops-lead",
    "to": "security-lead",
    "at": "2026-11-23T03:07:00Z",
    "until": "2026-11-23T03:17:00Z",
    "given": {"to": "security-lead"},
}
OTHERWISE: dict[str, list[dict[str, Any]]] = {
    "fact": [{"value": "2026-11-22T03:00:00Z"}, {"fact": "suspicion_at"}, {"reason": "none"}],
    "task": [{"status": "waived"}, {"status": "missed"}, {"step": "review"}, {"note": "some"}],
    "severity": [{"to": "P3"}, {"reason": "none"}],
    "mitigated": [{"reason": "none"}],
    "custody": [{"to": "somebody"}, {"event": "transferred"}, {"evidence": "others"}],
    "resolved": [{"reason": "none"}],
    "hand-over": [{"to": "ceo"}],
    "command-taken": [{"offer": _OFFER}, {"offer": {**_OFFER, "to": "ceo"}}, {"offer": {**_OFFER, "by": "ceo"}}],
    "note": [],
    "acknowledged": [],
    "delegated": [{"delegation": delegation(role="cto", to="ceo", by="cto").model_dump(mode="json")}],
    "delegation-ended": [{"role": "ceo"}, {"to": "ceo"}, {"delegation": "0f" * 4}, {"reason": "none"}],
}
ENDING: list[dict[str, Any]] = [
    {"reference": "r-2"},
    {"by": "ceo"},
    {"state": "not-required"},
    {"done_at": "2026-11-22T03:00:00Z"},
    {"reason": "another"},
]


def counted(entries: Entries) -> Entries:
    """Those that somebody has signed; what followed by itself may hold the same proof."""
    return [one for one in entries if "proof" in one["cause"] and one["actor"] != "orchestrator"]


def test_all_that_is_signed_is_proven(check: Checks) -> None:
    """Acknowledged, noted, facts, tasks, severity, duties by their signers, evidence that leaves, the end."""
    entries = lived()
    found = check(entries)
    assert (found.good, found.status) == (True, 0), found.said
    signed = [number for number, one in enumerate(entries, start=1) if one in counted(entries)]
    assert found.answers == dict.fromkeys(signed, "proven")
    assert {one["kind"] for one in counted(entries)} == {*OTHERWISE, "obligation"}
    assert [one["by"] for one in found.json["acts"] if one["what"] == "discharge obligation"] == [
        "privacy-officer",
        "cto",
    ]


def test_nobody_takes_command_by_the_offer_to_another(check: Checks) -> None:
    """Though they sign that they take it, and the offer is signed and stands before: it names somebody else."""
    entries = deepcopy(lived())
    at, taken = next((number, one) for number, one in enumerate(entries) if one["kind"] == "command-taken")
    said = {"of": "devops-lead"}
    signed = claim("cto", ACTS["take_command"], subject("take_command", said), T0 + minutes(at))
    by_cto = {"command": "take_command", "given": said, "proof": keys().proof({**signed, "at": taken["at"]})}
    taken.update(actor="cto", cause=by_cto)
    for told_of in ("security-lead", "cto"):
        taken["data"]["offer"]["to"] = told_of
        found = check(entries)
        assert (found.good, found.answers[at + 1]) == (False, "wrong"), found.said
        assert "command was not offered so" in found.said


def unsigned(draw: Draw, entries: Entries) -> None:
    """It holds no proof, and is said to have happened by itself, or not. A note may be unsigned."""
    one = draw(st.sampled_from([one for one in counted(entries) if one["kind"] != "note"]))
    del one["cause"]["proof"]
    one["actor"] = draw(st.sampled_from([one["actor"], "orchestrator"]))
    one["cause"] = draw(st.sampled_from([one["cause"], {"answer": "by itself"}]))


def otherwise(draw: Draw, entries: Entries) -> None:
    """It says something else than was said."""
    one = draw(st.sampled_from([one for one in counted(entries) if OTHERWISE.get(one["kind"])]))
    one["data"].update(draw(st.sampled_from(OTHERWISE[one["kind"]])))


def given_otherwise(draw: Draw, entries: Entries) -> None:
    """What is said to have been given is not what was signed."""
    one = draw(st.sampled_from(counted(entries)))
    one["cause"]["given"] = {**one["cause"].get("given", {}), "reason": "another"}


def as_declared(draw: Draw, entries: Entries) -> None:
    """A fact is said to have come with the declaration, which does not say it, or says another."""
    one = next(one for one in entries if one["kind"] == "fact" and one["cause"]["command"] == "record_fact")
    begun = next(one for one in entries if one["kind"] == "fact" and one["cause"]["command"] == "start")
    if draw(st.booleans()):
        one.update(at=entries[0]["at"], actor="devops-lead", cause={"command": "start", "entry": 1})
        one["data"]["value"] = draw(st.sampled_from(["2026-11-23T03:00:00Z", one["data"]["value"]]))
    else:
        begun["data"]["value"] = "2026-11-22T03:00:00Z"


def by_another(draw: Draw, entries: Entries) -> None:
    one = draw(st.sampled_from(counted(entries)))
    one["actor"] = draw(st.sampled_from([who for who in ("ceo", "cto", "devops-lead") if who != one["actor"]]))


def forged(draw: Draw, entries: Entries) -> None:
    proof = draw(st.sampled_from(counted(entries)))["cause"]["proof"]
    proof["signature"] = flipped(draw, proof["signature"])


def ended_otherwise(draw: Draw, entries: Entries) -> None:
    """A duty ends otherwise than its signers have said."""
    duty = draw(st.sampled_from([one for one in entries if one["kind"] == "obligation"]))
    duty["data"]["ending"].update(draw(st.sampled_from(ENDING)))


def signed_by_others(draw: Draw, entries: Entries) -> None:
    """A duty's last entry holds a signature that nobody gave, or another's."""
    signatures = [one for one in entries if one["kind"] == "obligation"][-1]["data"]["signatures"]
    one = draw(st.sampled_from(signatures))
    other = next(each for each in signatures if each is not one)
    how = draw(st.sampled_from(["by", "proof", "swapped", "given"]))
    if how == "by":
        one["by"] = "ceo"
    elif how == "proof":
        one["proof"] = draw(st.sampled_from([None, {**one["proof"], "key": "SHA256:x"}]))
    elif how == "swapped":
        one["proof"] = other["proof"]
    else:
        one["given"] = {**one["given"], "step": "assessment"}


def never_lent(draw: Draw, entries: Entries) -> None:
    """Whoever stood in had no role of theirs: nobody had named them, or another, or that was over by then."""
    how = draw(st.sampled_from(["none", "another", "over"]))
    (told,) = [one for one in entries if one["kind"] == "delegated"]
    if how == "none":
        entries[:] = [one for one in entries if one["kind"] not in {"delegated", "delegation-ended"}]
    elif how == "another":
        told["data"]["delegation"]["to"] = told["cause"]["given"]["delegation"]["to"] = "ceo"
    else:
        (ended,) = [one for one in entries if one["kind"] == "delegation-ended"]
        entries.remove(ended)
        entries.insert(entries.index(told) + 1, {**ended, "at": told["at"]})


MUTATIONS = [
    unsigned,
    otherwise,
    given_otherwise,
    as_declared,
    by_another,
    forged,
    ended_otherwise,
    signed_by_others,
    never_lent,
]


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)
@given(st.data())
@CALM
def test_nothing_else_is(incident: Incident, mutate: Any, data: st.DataObject) -> None:
    """Neither program calls it good."""
    entries = deepcopy(lived())
    mutate(data.draw, entries)
    with TemporaryDirectory() as folder:
        found = Checked(incident, Path(folder), entries, identities())
    assert not found.good, found.said
    assert found.status == 1
