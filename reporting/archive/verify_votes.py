"""Who has proven what: each vote, each request and each other entry that carries a proof, looked at anew."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from reporting.archive.verify_beforehand import beforehand, covered
from reporting.archive.verify_claims import (
    ACTS,
    UNREADABLE,
    UnknownError,
    WrongError,
    canonical,
    claimed,
    digest,
    digest_of_plan,
    in_time,
    instant,
    subject,
)
from reporting.archive.verify_entries import SAID, Said, learn_of_stand_ins, said_by, step_of
from reporting.archive.verify_keys import HELD, Key, key_of, register, signed_by, signers

UNPROVEN_KINDS = {"early", "refused", "refusals-counted"}
"""Entries in which a proof may stand that has counted for nothing."""

MEANING = {
    "proven": "a key of the register has signed it",
    "hands": "only those who carried it out vouch for it: they have looked at what cannot be looked at here",
    "namespace": "nobody has signed it: whoever could write to Temporal's namespace could say it",
    "unknown": "it could not be looked at",
    "WRONG": "it is not as it has to be",
}


class Asked(NamedTuple):
    """What somebody did by an entry, the proof of it, and what its claim has to say, by field.

    `whose` is what its nonce may be used for alone; None of a signature that an earlier entry came of. With `late` the
    entry does not say when it came.
    """

    what: str
    by: str
    proof: Any
    want: dict[str, list[Any]]
    whose: str | None
    verified: Any = None
    late: bool = False


class Told(NamedTuple):
    """What an entry comes to: a word of `MEANING`, and why."""

    entry: int
    by: str
    what: str
    answer: str
    why: str


class Votes:
    """Goes through the entries of one record, oldest first."""

    def __init__(self, keys: dict[str, Key] | None, organisation: str) -> None:
        self.keys, self.organisation = keys, organisation
        self.declared: dict[str, Any] = {}
        self.plans: dict[str, dict[str, Any]] = {}
        self.changes: dict[str, dict[str, Any]] = {}
        self.entries: dict[int, dict[str, Any]] = {}
        self.came: dict[bytes, datetime] = {}
        self.used: dict[str, str] = {}
        self.severity = ""
        self.begun: set[tuple[str, str]] = set()

    @property
    def demanded(self) -> bool:
        """Whether what counts has to be signed: everywhere but in a sandbox, and where nothing is done."""
        return bool(self.declared["environment"]["kind"] != "sandbox" and self.declared["mode"] != "dry-run")

    def told(self, entry: dict[str, Any]) -> list[Told]:
        """What an entry comes to; nothing where it is none that somebody would have to prove."""
        what, found = entry["kind"], []
        try:
            self.learn(entry, entry["data"])
            if entry["kind"] == "change-requested" and "preauthorised" in entry["data"]:
                what = f"starts {entry['data']['workflow_id']} by pre-authorisation"
                found.append(self.started(entry, entry["data"]))
            for asked in self.asked(entry, entry["data"]):
                what = asked.what
                found.append(self.looked_at(asked, entry))
        except UnknownError as error:
            found.append(("unknown", str(error)))
        except WrongError as error:
            found.append(("WRONG", str(error)))
        except UNREADABLE as error:
            found.append(("WRONG", f"it is not written as entries are ({type(error).__name__})"))
        worst = sorted(found, key=lambda one: list(MEANING).index(one[0]))[-1:]
        return [Told(entry["seq"], entry["actor"], what, *one) for one in worst]

    def learn(self, entry: dict[str, Any], data: dict[str, Any]) -> None:
        """Keep what later entries are held against."""
        self.entries[entry["seq"]] = entry
        if entry["seq"] == 1:
            self.declared = dict(data["declaration"])
            self.severity = self.declared["severity"]
        elif entry["kind"] == "change-requested":
            self.changes[data["workflow_id"]] = data
        elif entry["kind"] == "severity":
            self.severity = data["to"]
        elif entry["kind"] == "plan":
            self.plans[data["workflow_id"]] = data["plan"]
        elif entry["kind"] == "early" and "proof" in data["given"]:
            self.came.setdefault(canonical(data["given"]["proof"]), instant(entry["at"]))

    def asked(self, entry: dict[str, Any], data: dict[str, Any]) -> list[Asked]:
        """What has to be proven by an entry."""
        kind = entry["kind"]
        if kind == "change-requested":
            alone = entry["actor"] == "orchestrator" and step_of(self.declared, data["step"]).get("evidence") is True
            alone = (alone and "requested" not in data) or "preauthorised" in data
            return [] if alone else [self.requested(entry, data)]
        if kind == "approval":
            return [self.voted(entry, data)]
        found = [] if kind in UNPROVEN_KINDS else self.said(entry)
        if kind in {"delegated", "delegation-ended"}:
            learn_of_stand_ins(self.declared, entry)
        return found

    def started(self, entry: dict[str, Any], data: dict[str, Any]) -> tuple[str, str]:
        """What began without votes: by whom that was signed beforehand."""
        step, workflow, by = data["step"], data["workflow_id"], data["preauthorised"]["digest"]
        if workflow != f"{self.declared['incident_id']}/{step}/{data['generation']}":
            raise WrongError("its change is called otherwise than a change of its step")
        one = covered(self.declared, entry, self.severity, again=(step, by) in self.begun)
        self.begun.add((step, by))
        if self.keys is None:
            raise UnknownError("no register of keys came with the record")
        if self.organisation != self.declared["organisation"]["id"]:
            raise WrongError(f"the register is that of {self.organisation}")
        return "proven", beforehand(self.declared, one, self.keys)

    def requested(self, entry: dict[str, Any], data: dict[str, Any]) -> Asked:
        step, workflow = data["step"], data["workflow_id"]
        if workflow != f"{self.declared['incident_id']}/{step}/{data['generation']}":
            raise WrongError("its change is called otherwise than a change of its step")
        said = data.get("requested", {})
        values, params = said.get("given", {}), data.get("params", {})
        if canonical({**params, **values}) != canonical(params):
            raise WrongError("its change was requested with other parameters")
        command = "undo" if data.get("undo_of") else "request_change"
        given = {"step": step, "set": values} if values else {"step": step}
        want = {"step": [step], "generation": [None], "act": [ACTS[command]], "subject": [subject(command, given)]}
        return Asked(f"requests {workflow}", entry["actor"], said.get("proof"), want, step)

    def voted(self, entry: dict[str, Any], data: dict[str, Any]) -> Asked:
        """A vote is over the plan that stands before it; a change may be rejected before it has one."""
        workflow, decision = data["workflow_id"], data["decision"]
        change, plan = self.changes[workflow], self.plans.get(workflow, {})
        stands = [plan["digest"]] if plan and digest_of_plan(plan) == plan["digest"] else []
        if decision == "approve" and [data.get("digest")] != stands:
            raise WrongError("its plan does not stand before it, or is another by now")
        over = stands if decision == "approve" else [*stands, digest({"change": workflow})]
        act, alone = decision, data.get("break_glass")
        if alone is not None:
            act, over = "break-glass", [digest({"plan": data["digest"], "reason": alone})]
        want = {"step": [change["step"]], "generation": [change["generation"]], "act": [act], "subject": over}
        late = entry["cause"].get("command") not in {"approve", "reject", "break_glass"}
        what = f"{decision}s {workflow}{'' if alone is None else ' alone'}"
        return Asked(what, entry["actor"], data.get("proof"), want, workflow, data.get("verified"), late)

    def said(self, entry: dict[str, Any]) -> list[Asked]:
        """What has been said for another entry that counts, or holds a proof.

        One that happens by itself may hold that of the command that it came of.
        """
        cause, first = entry["cause"], self.entries[entry["cause"].get("entry", entry["seq"])]
        found = said_by(self.declared, entry) if self.demanded else []
        if not found and entry["kind"] not in SAID and entry["actor"] != "orchestrator" and "proof" in cause:
            found = [Said(entry["actor"], cause["command"], cause.get("given", {}), cause["proof"])]
        if found and (first["at"], first["cause"].get("proof")) != (entry["at"], cause.get("proof")):
            raise WrongError("it names an entry as of the same command that is not")
        own = f"entry {first['seq']}"
        return [self.of_command(one, None if number else own) for number, one in enumerate(found)]

    def of_command(self, said: Said, whose: str | None) -> Asked:
        over = [subject(said.command, said.given)]
        want: dict[str, list[Any]] = {
            "step": [said.given.get("step")],
            "generation": [None],
            "act": [ACTS[said.command]],
            "subject": over,
        }
        return Asked(said.command.replace("_", " "), said.by, said.proof, want, whose)

    def looked_at(self, asked: Asked, entry: dict[str, Any]) -> tuple[str, str]:
        """Hold a proof against what it has to prove, and against the register."""
        if asked.proof is None:
            if asked.verified:
                raise WrongError("it says that it was proven, and holds no proof")
            if self.demanded:
                raise WrongError("nobody has signed it, and outside a sandbox it counts for nothing then")
            return "namespace", "the sender's word, in a sandbox"
        proof, claim = asked.proof, asked.proof["claim"]
        where, organisation = self.declared["environment"]["name"], self.declared["organisation"]["id"]
        about = {"organisation": [organisation], "environment": [where], "incident": [self.declared["incident_id"]]}
        claimed(claim, {**about, **asked.want, "by": [asked.by]})
        if asked.whose is None and canonical(proof) not in self.came:
            raise WrongError(f"it holds a signature of {asked.by} that no entry before it came of")
        at, arrived = instant(claim["at"]), self.came.setdefault(canonical(proof), instant(entry["at"]))
        if self.keys is None:
            raise UnknownError("no register of keys came with the record")
        if self.organisation != claim["organisation"]:
            raise WrongError(f"the register is that of {self.organisation}")
        if not asked.late:
            in_time(claim, arrived)
        key = key_of(proof, claim["by"], self.keys, [min(at, arrived), *([] if asked.late else [arrived])])
        how = signed_by(key, proof["signature"], canonical(claim)) if key.method == "ssh" else f"by {key.method}"
        whose = asked.whose or self.used[claim["nonce"]]
        if self.used.setdefault(claim["nonce"], whose) != whose:
            raise WrongError(f"its claim was used before, for {self.used[claim['nonce']]}")
        if asked.verified:
            alike(asked.verified, key, how)
        if key.method != "ssh":
            return "hands", f"signed {how}, which is not checked here"
        if asked.late:
            return "hands", f"signed {how}; it was taken from their own record, and only they know when it came"
        return "proven", f"signed {how}, {key.name}"


def alike(verified: dict[str, Any], key: Key, how: str) -> None:
    """Refuse an entry that says of its proof what that does not."""
    if (verified["method"], verified["key"]) != (key.method, key.name):
        raise WrongError("it says that another key has proven it")
    if key.method == "ssh" and verified.get("holder_verified") and not how.endswith(HELD):
        raise WrongError("it says that the key has verified who held it, and the key does not say so")


def look(folder: Path, entries: list[dict[str, Any]], first_keys: set[str]) -> tuple[list[str], bool]:
    """Look at each vote, request and proven entry of a record, and at the register of keys that came with it.

    Gives what is to be said, and whether nothing is wrong, nor unknown. `first_keys` are those with which the register
    may begin; where none are given, its beginning is told.
    """
    keys, organisation = None, ""
    if (folder / "identities.json").exists():
        identities = json.loads((folder / "identities.json").read_text(encoding="utf-8"))
        organisation, keys = identities["organisation"], register(identities)
        if (folder / "allowed_signers").read_text(encoding="ascii") != signers(keys):
            raise WrongError("allowed_signers is not what the register comes to")
    first = next(iter(keys.values()), None) if keys else None
    if first_keys and (first is None or first.name not in first_keys):
        raise WrongError("the register of keys does not begin with a key that is trusted")
    votes = Votes(keys, organisation)
    found = [told for entry in entries for told in votes.told(entry)]
    many = Counter(told.answer for told in found)
    lines = [*table(found), *(f"{many[word]} {word}: {meaning}" for word, meaning in MEANING.items() if many[word])]
    if first and found and not first_keys:
        lines.append(f"The register of keys begins with {first.name} of {first.contact}, which nobody has signed:")
        lines.append(
            f"compare it with what {organisation} tells you by another way, and name it behind the fingerprint"
        )
    clean = ["".join(c if c.isprintable() else "?" for c in line) for line in lines]
    return clean, all(told.answer not in {"WRONG", "unknown"} for told in found)


def table(found: list[Told]) -> list[str]:
    rows = [("entry", "who", "what", "", ""), *((str(one[0]), *one[1:]) for one in found)]
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    lines = ["  ".join([*(row[at].ljust(widths[at]) for at in range(4)), row[4]]).rstrip() for row in rows]
    return lines if found else []
