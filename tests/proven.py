"""An incident outside a sandbox, in which everybody signs what they say."""

from datetime import timedelta
from typing import Any

from authority.claims import Claim
from domain.model import acts
from domain.model.declaration import Declaration
from domain.model.proofs import Proven
from domain.values.canonical import digest
from tests.activities.report_worlds import Played
from tests.people import PEOPLE, People

DAY = timedelta(days=1)


class Proving(Played):
    """People sign what counts, and it is heard as proven by `HARD`."""

    HARD = Proven(method="ssh", key="SHA256:theirs")

    def __init__(self, declared: Declaration, people: People = PEOPLE) -> None:
        super().__init__(declared)
        self.people = people

    def say(self, name: str, by: str, after: timedelta = timedelta(seconds=30), **payload: Any) -> str | None:
        self.wait(after)
        command = acts.read(name, {"by": by, **payload})
        if payload.get("proof") is None and acts.counts(self.incident.state.declaration.runbook, command):
            command = acts.read(name, {"by": by, **payload, "proof": self.proof(name, by, **payload)})
        if command.proof is not None:
            command = command.with_verdict(self.HARD)
        refused = self.incident.hear(name, command, self.now)
        self._work()
        return refused

    def proof(self, name: str, by: str, /, **payload: Any) -> dict[str, Any]:
        """What somebody signs for a command."""
        return self.people.signed(self.claim(name, by, **payload))

    def claim(self, name: str, by: str, /, **payload: Any) -> Claim:
        """What somebody claims for a command, now."""
        declared, said = self.incident.state.declaration, acts.given(acts.read(name, {"by": by, **payload}))
        now = self.now.replace(microsecond=0)
        return Claim(
            organisation=declared.organisation.id,
            environment=declared.environment.name,
            incident=declared.incident_id,
            step=said.get("step"),
            act=acts.ACTS[name],
            subject=acts.subject(name, said),
            by=by,
            at=now,
            expires=now + DAY,
            nonce=digest([name, by, now.isoformat(), said])[:32],  # played again, it is the same record
        )
