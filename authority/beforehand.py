"""What a record says has begun by itself: whether a pre-authorisation that it holds covers it, and who has signed that.

Whether one was revoked before it was used is for the hands to say, which look by their own files: a record holds what
was in force when its incident was declared.
"""

from collections.abc import Iterator
from datetime import datetime

from authority.preauthorisations import Entry, claim
from authority.proofs import UnprovenError, prove
from authority.register import Register
from domain.config.approval import vacant
from domain.config.organisation import Organisation
from domain.config.runbook import ChangeStep
from domain.model.change_events import ChangeRequested
from domain.model.declaration import Declaration
from domain.model.events import ORCHESTRATOR
from domain.model.preauthorised import PreAuthorised
from domain.model.timeline import Entry as Recorded
from domain.rules.preauthorised import covers, started
from domain.values.canonical import canonical_json
from domain.values.severity import Severity


class Beforehand:
    """Goes through the entries of one record, oldest first, and knows how severe the incident is at each."""

    def __init__(self, declared: Declaration) -> None:
        self._declared = declared
        self._severity = declared.severity.value
        self._begun = set[tuple[str, str]]()

    def learn(self, entry: Recorded) -> None:
        """Keep what later entries are held against."""
        if entry.kind == "severity":
            self._severity = str(entry.data.get("to"))

    def of(self, entry: Recorded, event: ChangeRequested) -> PreAuthorised:
        """The pre-authorisation by which a change has begun. Raises `UnprovenError` where it is not about that."""
        declared, said = self._declared, event.preauthorised
        one = next((each for each in declared.preauthorisations if said and each.terms.digest() == said.digest), None)
        if one is None or said != started(one):
            raise UnprovenError("the incident was declared with no such pre-authorisation")
        step = declared.runbook.step(event.step)
        if not isinstance(step, ChangeStep) or step.evidence or event.action != step.change:
            raise UnprovenError("changes of this kind cannot be pre-authorised")
        if entry.actor != ORCHESTRATOR or event.requested is not None or event.undo_of is not None:
            raise UnprovenError("somebody has asked for it, or it takes something back")
        if not covers(one.terms, declared.runbook.id, declared.environment.name, step):
            raise UnprovenError("its pre-authorisation is about something else")
        if canonical_json(event.params) != canonical_json({**step.params, **one.terms.set}):
            raise UnprovenError("it has other parameters than its pre-authorisation says")
        if self._severity != Severity.P0 or declared.mode not in {"live", "drill"}:
            raise UnprovenError(f"the incident was {self._severity}, of mode {declared.mode}")
        if not (one.terms.holds(_due(entry)) or (event.step, said.digest) in self._begun):
            raise UnprovenError("its pre-authorisation did not hold then")
        self._begun.add((event.step, said.digest))  # one that was stale is planned again, whenever that was
        return one


def _due(entry: Recorded) -> datetime:
    """When it had to begin; a worker that was away is late."""
    due = entry.cause.get("due_at")
    return entry.at if due is None else min(datetime.fromisoformat(due), entry.at)


def signed_beforehand(one: PreAuthorised, organisation: Organisation, register: Register) -> Iterator[str]:
    """Who has signed it, and with which key. Raises `UnprovenError` unless all have that the organisation names."""
    signers = list(one.signers)
    held = {each.id: each.roles for each in organisation.contacts if each.id in signers}
    roles = organisation.preauthorisers
    if not roles or vacant(roles, held):
        raise UnprovenError("not all have signed its pre-authorisation that have to")
    for raw in one.signed:
        try:
            entry = Entry.model_validate(raw.model_dump(mode="json"))
            made = claim(organisation.id, one.terms, entry.claim.by, entry.claim.at)
        except ValueError as error:
            raise UnprovenError("a signature under its pre-authorisation cannot be read") from error
        if made != entry.claim:
            raise UnprovenError("a signature under its pre-authorisation is over something else")
        found = prove(entry.claim, entry.proof, register, entry.claim.at)
        yield f"signed beforehand by {entry.claim.by} with {found.key}"
