"""Who has proven what in a record: each vote, request and other entry that carries a proof, looked at anew."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from authority.beforehand import Beforehand, signed_beforehand
from authority.proofs import UnprovenError, key_of, prove
from authority.register import Register
from authority.signed import About, Signed, refuse_other, signed
from domain.config.delegation import Delegation
from domain.config.runbook import ChangeStep
from domain.model import acts
from domain.model.change_events import ChangeRequested, PlanMade, VoteCast, VoteKept
from domain.model.declaration import Declaration
from domain.model.event_kinds import COUNTED, event_of
from domain.model.events import ORCHESTRATOR, Declared, Event, RefusalsCounted, Refused
from domain.model.plan import Plan
from domain.model.proofs import ClaimAsked, Proven, of_break_glass, of_vote
from domain.model.timeline import Entry
from domain.rules import people_then
from domain.rules.proven_entries import UnsaidError, claims
from domain.values.canonical import canonical_json
from domain.values.ids import change_workflow_id

Answer = Literal["proven", "hands", "namespace", "unknown", "wrong"]
"""By whom it is vouched for: by a key of the register; by those who carried it out, since it cannot be looked at any
more; by whoever could write to the namespace; it could not be looked at; or it is not as it has to be."""


_WORST: list[Answer] = ["proven", "hands", "namespace", "unknown", "wrong"]


class Judged(BaseModel):
    """What somebody is said to have done by the entry of this number, and by what that is proven, or why it is not."""

    entry: int
    by: str
    what: str
    answer: Answer
    why: str
    key: str | None = None
    holder_verified: bool = False


class _Asked(NamedTuple):
    """What has to be proven: one of these `subjects`, and its nonce is good for `whose` alone.

    `whose` is None of a signature that an earlier entry came of. With `late` the entry does not say when it came.
    """

    what: str
    claim: ClaimAsked
    subjects: list[str]
    whose: str | None
    verified: Proven | bool = False
    late: bool = False


class _Found(NamedTuple):
    answer: Answer
    why: str
    key: str | None = None
    holder_verified: bool = False


def judged(entries: Iterable[Entry], register: Register | None, organisation: str) -> Iterator[Judged]:
    """What a whole record says that people did, oldest first; without the `register` of `organisation` it is unknown.

    Of the entries it believes nothing but their order. Raises `ValueError` for a record that does not begin with a
    declaration.
    """
    looker: _Looker | None = None
    for entry in entries:
        if looker is None:
            begun = event_of(entry)
            if not isinstance(begun, Declared):
                raise ValueError("it does not begin with a declaration")
            looker = _Looker(begun.declaration, register, organisation)
        yield from looker.judged(entry)


class _Looker:
    def __init__(self, declared: Declaration, register: Register | None, organisation: str) -> None:
        self._declared, self._register, self._organisation = declared, register, organisation
        self._proofs_asked = declared.environment.kind != "sandbox" and declared.mode != "dry-run"
        self._plans: dict[str, Plan] = {}
        self._changes: dict[str, ChangeRequested] = {}
        self._entries: dict[int, Entry] = {}
        self._delegated = list[Delegation]()
        self._came: dict[str, datetime] = {}
        self._used: dict[str, str] = {}
        self._beforehand = Beforehand(declared)

    def judged(self, entry: Entry) -> Iterator[Judged]:
        self._entries[entry.seq] = entry
        self._beforehand.learn(entry)
        what, found = entry.kind, list[_Found]()
        try:
            event = event_of(entry)
            if isinstance(event, ChangeRequested) and event.preauthorised is not None:
                what = f"starts {event.workflow_id} by {event.preauthorised.told}"
                found.append(self._started(entry, event))
            for asked in self._asked(entry, event):
                what = asked.what
                found.append(self._look(asked, entry))
        except (UnprovenError, UnsaidError) as error:
            found.append(_Found("wrong", str(error)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            found.append(_Found("wrong", f"it is not written as entries are ({type(error).__name__})"))
        if found:
            worst = max(found, key=lambda one: _WORST.index(one.answer))
            yield Judged(entry=entry.seq, by=entry.actor, what=what, **worst._asdict())

    def _asked(self, entry: Entry, event: Event | None) -> Iterator[_Asked]:
        """What has to be proven of an entry; what later ones are held against is kept."""
        match event:
            case ChangeRequested():
                yield from self._requested(entry, event)
            case VoteCast():
                yield self._voted(entry, event)
            case VoteKept():
                if "proof" in event.given:
                    self._came.setdefault(canonical_json(event.given["proof"]), entry.at)
            case Refused() | RefusalsCounted():
                return  # a proof in them has counted for nothing
            case _:
                if isinstance(event, PlanMade):
                    self._plans[event.workflow_id] = event.plan
                yield from self._said(entry)

    def _requested(self, entry: Entry, event: ChangeRequested) -> Iterator[_Asked]:
        name = change_workflow_id(self._declared.incident_id, event.step, event.generation)
        if event.workflow_id != name:
            raise UnprovenError(f"its change is called otherwise than {name}")
        self._changes[event.workflow_id] = event
        step = self._declared.runbook.step(event.step)
        if event.preauthorised is not None:
            return
        is_evidence = isinstance(step, ChangeStep) and step.evidence
        if event.requested is None and entry.actor == ORCHESTRATOR and is_evidence:
            return
        given = event.requested.given if event.requested else {}
        if canonical_json({**event.params, **given}) != canonical_json(event.params):
            raise UnprovenError("its change was requested with other parameters")
        act, over = "request", acts.of_request(event.step, given)
        if event.undo_of is not None:
            act, over = "undo", acts.of_undo(event.step)
        proof = event.requested.proof if event.requested else None
        claim = self._claim(act, over, entry.actor, proof, event.step)
        yield _Asked(f"requests {name}", claim, [over], event.step)

    def _started(self, entry: Entry, event: ChangeRequested) -> _Found:
        """What began without votes: by whom that was signed beforehand."""
        one = self._beforehand.of(entry, event)
        if self._register is None:
            return _Found("unknown", "no register of keys came with the record")
        if self._declared.organisation.id != self._organisation:
            raise UnprovenError(f"the register is that of {self._organisation}")
        return _Found("proven", "; ".join(signed_beforehand(one, self._declared.organisation, self._register)))

    def _voted(self, entry: Entry, event: VoteCast) -> _Asked:
        """A vote is over the plan that stands before it; a change may be rejected before it has one."""
        change, plan = self._changes[event.workflow_id], self._plans.get(event.workflow_id)
        stands = [plan.digest] if plan is not None and plan.is_sealed() else []
        if event.decision == "approve" and [event.digest] != stands:
            raise UnprovenError("its plan does not stand before it, or is another by now")
        over = stands if event.decision == "approve" else [*stands, of_vote(event.workflow_id, None)]
        act: str = event.decision
        if event.break_glass is not None:
            act, over = acts.BREAK_GLASS, [of_break_glass(str(event.digest), event.break_glass)]
        claim = self._claim(act, over[0], entry.actor, event.proof, change.step, change.generation)
        late = entry.cause.get("command") not in {"approve", "reject", "break_glass"}
        what = f"{event.decision}s {event.workflow_id}{' alone' if event.break_glass is not None else ''}"
        return _Asked(what, claim, over, event.workflow_id, event.verified, late)

    def _claim(
        self, act: str, over: str, by: str, proof: Any, step: str | None, generation: int | None = None
    ) -> ClaimAsked:
        declared = self._declared
        where = {"environment": declared.environment.name, "incident": declared.incident_id}
        return ClaimAsked(**where, step=step, generation=generation, act=act, subject=over, by=by, proof=proof)

    def _said(self, entry: Entry) -> Iterator[_Asked]:
        """What has been said for another entry that counts, or holds a proof.

        One that happens by itself may hold that of the command that it came of.
        """
        found, cause = claims(self._declared, entry, self._delegated), entry.cause
        if entry.kind in people_then.KINDS:
            self._delegated = people_then.told_by(self._declared, self._entries.values())
        if not found and entry.kind not in COUNTED and entry.actor != ORCHESTRATOR and "proof" in cause:
            name, given = str(cause["command"]), cause.get("given", {})
            over = acts.subject(name, given)
            found = [self._claim(acts.ACTS[name], over, entry.actor, cause["proof"], given.get("step"))]
        first = self._entries[cause.get("entry", entry.seq)]
        if found and (first.at, first.cause.get("proof")) != (entry.at, cause.get("proof")):
            raise UnprovenError("it names an entry as of the same command that is not")
        what = str(cause.get("command")).replace("_", " ")
        for number, claim in enumerate(found):
            yield _Asked(what, claim, [claim.subject], None if number else f"entry {first.seq}")

    def _look(self, asked: _Asked, entry: Entry) -> _Found:
        if asked.claim.proof is None:
            if asked.verified:
                raise UnprovenError("it says that it was proven, and holds no proof")
            if self._proofs_asked:
                raise UnprovenError("nobody has signed it, and outside a sandbox it counts for nothing then")
            return _Found("namespace", "the sender's word, in a sandbox")
        found, text = signed(asked.claim.proof), canonical_json(asked.claim.proof)
        over = found.claim.subject if found.claim.subject in asked.subjects else asked.claim.subject
        about = asked.claim.model_dump(exclude={"proof", "subject"})
        refuse_other(found.claim, About(organisation=self._declared.organisation.id, subject=over, **about))
        if asked.whose is None and text not in self._came:
            raise UnprovenError(f"it holds a signature of {asked.claim.by} that no entry before it came of")
        arrived = self._came.setdefault(text, entry.at)
        if self._register is None:
            return _Found("unknown", "no register of keys came with the record", found.key)
        if found.claim.organisation != self._organisation:
            raise UnprovenError(f"the register is that of {self._organisation}")
        held = self._held(found, found.claim.at if asked.late else arrived)
        whose = asked.whose or self._used[found.claim.nonce]
        if self._used.setdefault(found.claim.nonce, whose) != whose:
            raise UnprovenError(f"its claim was used before, for {self._used[found.claim.nonce]}")
        _refuse_unlike(asked.verified, found, held)
        if asked.late and held.answer == "proven":
            why = f"{held.why}; it was taken from their own record, and only they know when it came"
            return held._replace(answer="hands", why=why)
        return held

    def _held(self, found: Signed, now: datetime) -> _Found:
        """What the register says of a proof that came `now`."""
        if self._register is None:
            raise TypeError("there is no register")
        if found.method != "ssh":
            key = key_of(found.claim, found.proof, self._register, now)
            return _Found("hands", f"signed by {key.method}, which is not looked at here", key.name)
        proven = prove(found.claim, found.proof, self._register, now)
        how = " and has verified who held it" if proven.holder_verified else ""
        return _Found("proven", f"signed by {proven.key}{how}", proven.key, proven.holder_verified)


def _refuse_unlike(verified: Proven | bool, found: Signed, held: _Found) -> None:
    """Raise for an entry that says of its proof what that does not."""
    if not isinstance(verified, Proven):
        return
    if (verified.method, verified.key) != (found.method, found.key):
        raise UnprovenError("it says that another key has proven it")
    if held.answer == "proven" and verified.holder_verified and not held.holder_verified:
        raise UnprovenError("it says that the key has verified who held it, and the key does not say so")
