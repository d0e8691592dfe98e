"""What somebody could do to a signed record, or to the register beside it, who can also sign the chain anew."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from domain.model.plan import Plan
from tests.records import INCIDENT
from tests.signed_records import Entries, keys

Register = list[dict[str, Any]]
Draw = Callable[[st.SearchStrategy[Any]], Any]
Mutate = Callable[[Draw, Entries, Register], None]
CONTACTS = ["cto", "technical-manager", "devops-lead", "security-lead", "ceo"]
_OTHERS: dict[str, list[Any]] = {
    "v": [2, True, "1"],
    "organisation": ["another", None],
    "environment": ["staging", None],
    "incident": ["inc-20261123-aaaa", None],
    "step": ["promote", None, "rollback", "scale-up"],
    "generation": [2, None, 1, "1", True],
    "act": ["request", "approve", "reject", "cancel", "undo", "note"],
    "subject": ["0" * 64],
    "decision": [" ", "no"],
    "by": CONTACTS,
    "at": ["2026-11-23T03:00:00Z", "2026-11-24T03:00:00Z", "2026-11-23T03:03:00+00:00"],
    "expires": ["2026-11-23T03:00:01Z", "2027-11-23T03:00:00Z"],
    "nonce": ["0" * 32, "0" * 31],
}


def proofs_in(entries: Entries) -> list[dict[str, Any]]:
    """Every proof, where it stands."""
    return [proof for one in entries if (proof := proof_in(one)) is not None]


def proof_in(entry: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = entry["data"].get("proof") or entry["cause"].get("proof")
    return found or entry["data"].get("requested", {}).get("proof")


def of_kind(entries: Entries, kind: str) -> list[dict[str, Any]]:
    return [one for one in entries if one["kind"] == kind]


def flipped(draw: Draw, armoured: str) -> str:
    """A signature with one of its base64 letters another."""
    places = [at for at, one in enumerate(armoured) if one.isalnum()]
    inside = [at for at in places if armoured.index("\n") < at < armoured.rindex("-----END")]
    at = draw(st.sampled_from(inside))
    return armoured[:at] + ("A" if armoured[at] != "A" else "B") + armoured[at + 1 :]


def _field(draw: Draw, entries: Entries, _: Register) -> None:
    """A field of a claim says something else, or is gone."""
    claim = draw(st.sampled_from(proofs_in(entries)))["claim"]
    name = draw(st.sampled_from(sorted(claim)))
    others = [one for one in _OTHERS[name] if repr(one) != repr(claim[name])]
    if draw(st.booleans()):
        claim[name] = draw(st.sampled_from(others))
    else:
        del claim[name]


def _signature(draw: Draw, entries: Entries, _: Register) -> None:
    proof = draw(st.sampled_from(proofs_in(entries)))
    proof["signature"] = flipped(draw, proof["signature"])


def _swapped(draw: Draw, entries: Entries, _: Register) -> None:
    """Two proofs stand in each other's place."""
    one, other = draw(st.permutations(proofs_in(entries)))[:2]
    kept = dict(one)
    one.update(other)
    other.update(kept)


def _actor(draw: Draw, entries: Entries, _: Register) -> None:
    one = draw(st.sampled_from([one for one in entries if proof_in(one) is not None]))
    one["actor"] = draw(st.sampled_from([who for who in [*CONTACTS, "orchestrator"] if who != one["actor"]]))


def _plan(draw: Draw, entries: Entries, _: Register) -> None:
    """A plan is another, sealed anew or not, and the vote said to be on that."""
    planned = draw(st.sampled_from(of_kind(entries, "plan")))["data"]
    made = planned["plan"]
    change = draw(st.sampled_from([{"summary": "another"}, {"after": {"revision": 6}}, {"reversible": False}]))
    sealed = Plan.model_validate({**made, **change}).sealed().digest
    made.update({**change, "digest": draw(st.sampled_from([made["digest"], sealed]))})
    if draw(st.booleans()):
        for one in of_kind(entries, "approval"):
            one["data"].update({"digest": made["digest"]} if "digest" in one["data"] else {})


def _without_plan(draw: Draw, entries: Entries, _: Register) -> None:
    """The plan stands nowhere, or behind the votes."""
    one = of_kind(entries, "plan")[0]
    entries.remove(one)
    if draw(st.booleans()):
        entries.append({**one, "at": entries[-1]["at"]})


def _unsigned(draw: Draw, entries: Entries, _: Register) -> None:
    """A vote or a request has no proof, and is said to be proven or not; or it is said to be the orchestrator's."""
    one = draw(st.sampled_from([*of_kind(entries, "approval"), *of_kind(entries, "change-requested")]))
    one["data"].pop("proof", None)
    one["data"].pop("requested", None)
    if draw(st.booleans()):
        one["data"].pop("verified", None)
    if draw(st.booleans()):
        one["actor"] = "orchestrator"


def _replayed(draw: Draw, entries: Entries, _: Register) -> None:
    """A vote is counted for another change, or a command taken twice."""
    vote = draw(st.sampled_from([*of_kind(entries, "approval"), *of_kind(entries, "severity")]))
    other = {"rollback": "scale-up", "scale-up": "rollback"}.get(vote["data"].get("step", ""))
    data = {**vote["data"], **({"step": other, "workflow_id": f"{INCIDENT}/{other}/1"} if other else {})}
    entries.append({**vote, "at": entries[-1]["at"], "data": data})


def _late(draw: Draw, entries: Entries, _: Register) -> None:
    """An entry stands at a time at which its claim did not hold."""
    one = draw(st.sampled_from([one for one in entries if proof_in(one) is not None]))
    one["at"] += draw(st.sampled_from([timedelta(hours=25), timedelta(minutes=-30), timedelta(days=-100)]))


def _change(draw: Draw, entries: Entries, _: Register) -> None:
    """A change is another than the one that was asked for."""
    data = draw(st.sampled_from(of_kind(entries, "change-requested")))["data"]
    new = {"step": "promote"}, {"generation": 2}, {"workflow_id": f"{INCIDENT}/promote/1"}, {"undo_of": 1}
    data.update(draw(st.sampled_from(new)))


def _parameters(draw: Draw, entries: Entries, _: Register) -> None:
    """A change is made with other parameters than were signed."""
    data = of_kind(entries, "change-requested")[-1]["data"]
    draw(st.sampled_from([data["params"], data["requested"]["given"]])).update(count=2)


def _declared(draw: Draw, entries: Entries, _: Register) -> None:
    declared = entries[0]["data"]["declaration"]
    where = draw(st.sampled_from([declared["organisation"], declared["environment"]]))
    where["name" if "name" in where else "id"] = "another"


def _registered(draw: Draw, _: Entries, register: Register) -> None:
    """An entry of the register is another, is not signed, or is by somebody who may not."""
    entry = draw(st.sampled_from(register[1:]))
    others: dict[str, list[Any]] = {
        "by": CONTACTS,
        "at": ["2020-01-01T00:00:00Z", "2026-11-30T00:00:00Z"],
        "proof": [None],
    }
    if entry["act"] == "enrol":
        others |= {"contact": CONTACTS, "enrols": [not entry["enrols"]], "public": list(keys().lines.values())}
    else:
        others |= {"until": ["2026-11-23T02:30:00Z"], "key": [keys().name("cto")]}
    name = draw(st.sampled_from(sorted(others)))
    entry[name] = draw(st.sampled_from([one for one in others[name] if one != entry[name]]))


def _registered_by_another(draw: Draw, _: Entries, register: Register) -> None:
    proof = draw(st.sampled_from(register[1:]))["proof"]
    if draw(st.booleans()):
        proof["signature"] = flipped(draw, proof["signature"])
    else:
        proof["key"] = keys().name("cto")


def _taken_out(draw: Draw, _: Entries, register: Register) -> None:
    """A key that somebody has signed with, or that was revoked, was never enrolled."""
    del register[draw(st.integers(0, 4))]


def _begins_otherwise(draw: Draw, _: Entries, register: Register) -> None:
    change = {"contact": "cto"}, {"enrols": False}, {"public": keys().lines["cto"]}, {"proof": register[1]["proof"]}
    register[0].update(draw(st.sampled_from(change)))


MUTATIONS: list[Mutate] = [
    *(_field, _signature, _swapped, _actor, _plan, _without_plan, _unsigned, _replayed, _late, _change, _parameters),
    *(_declared, _registered, _registered_by_another, _taken_out, _begins_otherwise),
]
