"""What we intended before we did it, and what came of it, in the ledger's table.

pk                           sk                what it holds
intent#<incident>/<step>     000001            an intent: digest, target, before, after, observed, votes, who asked, at
intent#<incident>/<step>     000001#outcome    what came of it; without an intent, that the change was given up
intents-on#<target>          <at>#<incident>/<step>/000001    the intent again, among those of every incident
nonce#<contact>              <nonce>           for which change a vote or a request was used up
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.action import RuleError
from activities.ledger.table import Item, Table, keys, text
from activities.ledger.terms import Terms
from domain.model.activity_io import Ballot, GivenUp
from domain.model.plan import Plan, State
from domain.values.canonical import canonical_json
from domain.values.errors import ErrorKind

_OUTCOME = "#outcome"
_ENDED_FROM_OUTSIDE, _GIVEN_UP = "nothing", "given-up"
_NEVER = frozenset({_ENDED_FROM_OUTSIDE, _GIVEN_UP})
"""Outcomes of what was never begun: one stands without an intent, and no intent is put under it any more."""


class Intent(BaseModel):
    """What we set out to do, on record before the first attempt. `at` is UTC.

    `observed` is what stood there when it was carried out: as `before`, but for fields that move by themselves.
    Without votes it is `preauthorised`: the digest of what its approvers have signed beforehand.
    """

    incident: str
    step: str
    generation: int
    action_id: str
    digest: str
    target: str
    before: State
    after: State
    approvers: tuple[str, ...]
    requested_by: str | None = None
    votes: tuple[Ballot, ...] = ()
    preauthorised: str | None = None
    at: datetime
    observed: State = {}

    @classmethod
    def of(
        cls, plan: Plan, key: tuple[str, str, int], action_id: str, approvers: tuple[str, ...], at: datetime
    ) -> "Intent":
        """Name the intent to carry out a plan; `key` is incident, step and generation."""
        incident, step, generation = key
        return cls(
            incident=incident,
            step=step,
            generation=generation,
            action_id=action_id,
            digest=plan.digest,
            target=plan.target,
            before=plan.before,
            after=plan.after,
            approvers=approvers,
            at=at,
        )


class Nonce(NamedTuple):
    """What is used once by a contact (`by`), for `whose`: a change, or a step of an incident that is planned anew.

    With `again` it is one of several places: where another change has taken it, the next one may be free.
    """

    value: str
    by: str
    whose: str
    again: bool = False


class Intents:
    """Intents and outcomes in one environment's ledger. Lets botocore's errors through."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, intent: Intent, term: int, *, begun: bool = False, nonces: tuple[Nonce, ...] = ()) -> None:
        """Put an intent on record, twice, and use nonces up with it (`dynamodb:TransactWriteItems`).

        Again with the same digest does nothing.

        Raises `RuleError` when a plan of another digest stands under its incident, step and generation, when that
        generation was given up, and once the incident has ended, unless it was `begun` before; `SupersededError` when
        the incident goes on under a later term.
        """
        item = {
            **_keys(intent.incident, intent.step, intent.generation),
            "action_id": text(intent.action_id),
            "digest": text(intent.digest),
            "target": text(intent.target),
            "content": text(intent.model_dump_json()),
        }
        place = f"{intent.at.isoformat()}#{intent.incident}/{intent.step}/{intent.generation:06d}"
        again = {**keys(_on(intent.target), place), "content": item["content"]}
        not_given_up = self._absent(_keys(intent.incident, intent.step, intent.generation, _OUTCOME))
        guards = () if begun else (not_given_up, *map(self._used_up, nonces))
        if Terms(self._table).put_under(intent.incident, term, [item, again], *guards, while_open=not begun):
            return
        standing = self.get(intent.incident, intent.step, intent.generation)
        if standing is None:
            self.refuse_given_up(intent.incident, intent.step, intent.generation)
            if any(one.again for one in nonces):
                raise _taken_meanwhile(intent.step)
            raise RuleError(f"a vote on {intent.step}, or its request, was used for another change: sign it again")
        _refuse_another(standing, intent.digest)

    def refuse_another(self, incident: str, step: str, generation: int, digest: str) -> None:
        """Raise `RuleError` where what is on record as begun is another plan than that of `digest`."""
        if (standing := self.get(incident, step, generation)) is not None:
            _refuse_another(standing, digest)

    def refuse_given_up(self, incident: str, step: str, generation: int) -> None:
        """Raise `RuleError` for what is never to be begun (`dynamodb:GetItem`): nobody is to vote on it."""
        if self.outcome(incident, step, generation) in _NEVER:
            given_up = self.given_up(incident, step, generation)
            raise _given_up(incident, step, generation, given_up.status if given_up else "ended from outside")

    def get(self, incident: str, step: str, generation: int) -> Intent | None:
        """Look up an intent (`dynamodb:GetItem`)."""
        found = self._table.get(_keys(incident, step, generation))
        return Intent.model_validate_json(found["content"]["S"]) if found else None

    def on(self, target: str) -> list[Intent]:
        """What every incident meant to do to a resource, oldest first (`dynamodb:Query`)."""
        return [Intent.model_validate_json(one["content"]["S"]) for one in self._table.items(_on(target))]

    def of_plan(self, incident: str, step: str, before: int, digest: str) -> Intent | None:
        """The newest intent of an earlier generation to carry out the plan of this digest (`dynamodb:GetItem`)."""
        earlier = (self.get(incident, step, generation) for generation in range(before - 1, 0, -1))
        return next((one for one in earlier if one and one.digest == digest), None)

    def begun(self, incident: str, step: str) -> bool:
        """Tell whether any generation of a step has an intent on record (`dynamodb:Query`)."""
        items = self._table.items(_keys(incident, step, 0)["pk"]["S"])
        return any(_OUTCOME not in one["sk"]["S"] for one in items)

    def meant(self, incident: str, step: str, target: str, after: State) -> bool:
        """Tell whether any generation of this step meant to bring `target` to `after` (`dynamodb:Query`)."""
        wanted = canonical_json(after)
        items = self._table.items(_keys(incident, step, 0)["pk"]["S"])
        intents = (Intent.model_validate_json(one["content"]["S"]) for one in items if _OUTCOME not in one["sk"]["S"])
        return any(intent.target == target and canonical_json(intent.after) == wanted for intent in intents)

    def record_outcome(
        self, incident: str, step: str, generation: int, outcome: str, message: str, at: datetime
    ) -> None:
        """Put beside an intent what came of it (`dynamodb:PutItem`); the first one stands, later ones do nothing."""
        key = _keys(incident, step, generation, _OUTCOME)
        self._table.put({**key, "outcome": text(outcome), "message": text(message), "at": text(at.isoformat())})

    def give_up(
        self,
        incident: str,
        step: str,
        generation: int,
        at: datetime,
        decided: GivenUp | None = None,
        term: int | None = None,
    ) -> None:
        """Have what was not begun never begin (`dynamodb:TransactWriteItems`); what was begun stays so.

        Nobody `decided` that where its workflow was ended from outside. Raises `SupersededError` when the incident
        goes on under a later term than this.
        """
        key = _keys(incident, step, generation, _OUTCOME)
        said = {"outcome": text(_ENDED_FROM_OUTSIDE), "message": text(""), "at": text(at.isoformat())}
        if decided is not None:
            said |= {"outcome": text(_GIVEN_UP), "message": text(decided.model_dump_json())}
        unbegun = self._absent(_keys(incident, step, generation))
        if term is None:
            self._table.put_all([{**key, **said}], unbegun)
        else:
            Terms(self._table).put_under(incident, term, [{**key, **said}], unbegun)

    def _used_up(self, nonce: Nonce) -> dict[str, Any]:
        """What a transaction puts: that a nonce is used, for nothing else than before."""
        return {
            "Put": {
                "TableName": self._table.name,
                "Item": {**_nonce_keys(nonce), "whose": text(nonce.whose)},
                "ConditionExpression": "attribute_not_exists(pk) OR whose = :whose",
                "ExpressionAttributeValues": {":whose": text(nonce.whose)},
            }
        }

    def _absent(self, key: Item) -> dict[str, Any]:
        """What a transaction checks: that there is no such item."""
        return {
            "ConditionCheck": {
                "TableName": self._table.name,
                "Key": key,
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def ended(self, incident: str, step: str, generation: int) -> tuple[str, str] | None:
        """What came of an intent, and what was seen then (`dynamodb:GetItem`); None when nothing is on record."""
        found = self._table.get(_keys(incident, step, generation, _OUTCOME))
        return (found["outcome"]["S"], found["message"]["S"]) if found else None

    def given_up(self, incident: str, step: str, generation: int) -> GivenUp | None:
        """How it was decided that it is never begun (`dynamodb:GetItem`); None where that was not."""
        outcome, message = self.ended(incident, step, generation) or ("", "")
        return GivenUp.model_validate_json(message) if outcome == _GIVEN_UP else None

    def outcome(self, incident: str, step: str, generation: int) -> str | None:
        """Look up what came of an intent; None when nothing is on record."""
        found = self.ended(incident, step, generation)
        return found[0] if found else None

    def took(self, intent: Intent) -> timedelta | None:
        """How long it was from an intent until it was verified; None where that is not on record."""
        found = self._table.get(_keys(intent.incident, intent.step, intent.generation, _OUTCOME))
        if found is None or found["outcome"]["S"] != "verified":
            return None
        return datetime.fromisoformat(found["at"]["S"]) - intent.at


def place_taken(table: Table, nonce: Nonce) -> bool:
    """Whether another than `whose` has used it (`dynamodb:GetItem`)."""
    found = table.get(_nonce_keys(nonce))
    return found is not None and found["whose"]["S"] != nonce.whose


def _nonce_keys(nonce: Nonce) -> Item:
    return keys(f"nonce#{nonce.by}", nonce.value)


def _taken_meanwhile(step: str) -> ApplicationError:
    return ApplicationError(
        f"another change has taken the place of {step}: the next one is tried",
        type=ErrorKind.NOT_YET.value,
        next_retry_delay=timedelta(seconds=1),
        category=ApplicationErrorCategory.BENIGN,
    )


def _on(target: str) -> str:
    return f"intents-on#{target}"


def _given_up(incident: str, step: str, generation: int, how: str) -> RuleError:
    return RuleError(f"{incident}/{step}/{generation} was given up: ask for a new change (this one was {how})")


def _refuse_another(standing: Intent, digest: str) -> None:
    if standing.digest != digest:
        raise RuleError(
            f"generation {standing.generation} of step {standing.step} is on record with the plan of digest "
            f"{standing.digest}: ask for a new change instead of carrying out {digest}"
        )


def _keys(incident: str, step: str, generation: int, suffix: str = "") -> Item:
    return keys(f"intent#{incident}/{step}", f"{generation:06d}{suffix}")
