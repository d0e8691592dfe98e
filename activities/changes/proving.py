"""What the hands ask of votes and of the request before they begin: each proven, for this change alone, and once."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from activities.action import RuleError
from activities.changes.intents import Nonce
from activities.changes.plans import MadePlan
from activities.house import House
from activities.proofs import are_asked, claim_of
from authority.claims import Act
from authority.proofs import Sighting, UnprovenError
from domain.config.runbook import ChangeStep
from domain.model.activity_io import ApplyRequest
from domain.model.acts import of_request, of_undo
from domain.model.proofs import ClaimAsked, of_break_glass
from domain.values.canonical import canonical_json


def decisive(house: House, asked: ApplyRequest) -> ApplyRequest:
    """With the votes alone that decide: of who breaks the glass just theirs, and none beside a pre-authorisation.

    What else came with them is neither judged nor put on record. Raises `RuleError` for a level that the chain lacks.
    """
    if strange := [role for role in asked.added if role not in house.organisation().chain]:
        raise RuleError(f"{strange[0]} is no level of the chain: nobody else is added to who decides")
    if asked.preauthorised is not None:
        return asked.model_copy(update={"votes": ()})
    alone = tuple(vote for vote in asked.votes if vote.break_glass is not None)
    return asked.model_copy(update={"votes": alone[:1]}) if alone else asked


def nonces(
    house: House, asked: ApplyRequest, made: MadePlan, step: ChangeStep, at: datetime, seen: Sighting
) -> tuple[Nonce, ...]:
    """What is used up once the change is begun: the nonces of the request and of each vote. None in a sandbox.

    Raises `RuleError` for one that is not proven `at` that time (UTC), of `aws-iam` by what was `seen` when it came.
    """
    if not are_asked(house):
        return ()
    return tuple(_nonce(house, one, at, seen) for one in _asked(asked, made, step))


class _Asked(NamedTuple):
    """A claim that has to be proven, for what alone its nonce is good, and what it is called."""

    claim: ClaimAsked
    whose: str
    what: str


def _asked(asked: ApplyRequest, made: MadePlan, step: ChangeStep) -> Iterator[_Asked]:
    incident = asked.about.incident
    common = {"environment": asked.about.environment, "incident": incident, "step": asked.step}
    yield _Asked(_request(asked, made, step, common), f"{incident}/{asked.step}", "the request")
    for vote in asked.votes:
        act, subject = Act.APPROVE, made.plan.digest
        if vote.break_glass is not None:
            act, subject = Act.BREAK_GLASS, of_break_glass(made.plan.digest, vote.break_glass)
        who = {"by": vote.by, "proof": vote.proof}
        claim = ClaimAsked(**common, generation=asked.generation, act=act.value, subject=subject, **who)
        yield _Asked(claim, f"{incident}/{asked.step}/{asked.generation}", "the vote")


def _request(asked: ApplyRequest, made: MadePlan, step: ChangeStep, common: dict[str, str]) -> ClaimAsked:
    """What the request has to say. One generation follows another by itself where the plan was stale: it has none."""
    given = asked.requested.given if asked.requested else {}
    if made.undo_of is not None:
        act, subject = Act.UNDO, of_undo(asked.step)
    else:
        act, subject = Act.REQUEST, of_request(asked.step, given)
        if canonical_json({**step.params, **given}) != canonical_json(made.params):
            raise RuleError(f"{asked.step} was requested with other parameters than it was planned with")
    proof = asked.requested.proof if asked.requested else None
    return ClaimAsked(**common, act=act.value, subject=subject, by=made.requested_by, proof=proof)


def _nonce(house: House, one: _Asked, at: datetime, seen: Sighting) -> Nonce:
    try:
        claim, _ = claim_of(house, one.claim, at, seen)
    except UnprovenError as error:
        raise RuleError(f"{one.what} of {one.claim.by} is not proven: {error}") from None
    return Nonce(claim.nonce, claim.by, one.whose)
