"""The ledger: what we intended before we did it, what came of it, and who may touch a resource meanwhile.

One DynamoDB table with the string keys `pk` and `sk`. Every write is conditional:

    pk                           sk                what it holds
    intent#<incident>/<step>     000001            an intent: action id, digest, target, before, after, approvers, at
    intent#<incident>/<step>     000001#outcome    what came of it
    lock/<arn>                   lock              holder, and lease_until in seconds since 1970
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from activities.action import Clients, RuleError
from domain.model.plan import Plan, State
from domain.values.ids import lock_id

_OUTCOME = "#outcome"


class Intent(BaseModel):
    """What we set out to do, on record before the first attempt. `at` is UTC."""

    incident: str
    step: str
    generation: int
    action_id: str
    digest: str
    target: str
    before: State
    after: State
    approvers: tuple[str, ...]
    at: datetime

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


class ResourceBusyError(Exception):
    """Another change holds the lock of `arn`; `holder` is its workflow. Worth waiting for."""

    def __init__(self, arn: str, holder: str) -> None:
        super().__init__(f"{arn} is being changed by {holder}")
        self.arn = arn
        self.holder = holder


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values say the same: their canonical JSON is equal."""
    return _canonical(one) == _canonical(other)


class Ledger:
    """Intents, outcomes and locks in one table. Lets botocore's errors through.

    Reads are consistent. `clock` tells the time in UTC; leases are measured by it.
    """

    def __init__(self, clients: Clients, table: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._db = clients.client("dynamodb")
        self._table = table
        self._clock = clock

    def put_intent(self, intent: Intent) -> None:
        """Put an intent on record (`dynamodb:PutItem`); again with the same digest does nothing.

        Raises `RuleError` when a plan of another digest stands under its incident, step and generation.
        """
        item = {
            **_keys(intent.incident, intent.step, intent.generation),
            "action_id": _text(intent.action_id),
            "digest": _text(intent.digest),
            "target": _text(intent.target),
            "content": _text(intent.model_dump_json()),
        }
        if (standing := self._put_new(item)) is not None and standing["digest"]["S"] != intent.digest:
            raise RuleError(
                f"generation {intent.generation} of step {intent.step} is on record with the plan of digest "
                f"{standing['digest']['S']}: ask for a new change instead of carrying out {intent.digest}"
            )

    def intent(self, incident: str, step: str, generation: int) -> Intent | None:
        """Look up an intent (`dynamodb:GetItem`)."""
        found = self._get(_keys(incident, step, generation))
        return Intent.model_validate_json(found["content"]["S"]) if found else None

    def intended(self, incident: str, step: str, target: str, after: State) -> bool:
        """Tell whether any generation of this step meant to bring `target` to `after` (`dynamodb:Query`)."""
        return any(intent.target == target and same(intent.after, after) for intent in self._intents(incident, step))

    def record_outcome(self, incident: str, step: str, generation: int, outcome: str, message: str) -> None:
        """Put beside an intent what came of it (`dynamodb:PutItem`); the first one stands, later ones do nothing."""
        at = self._clock().isoformat()
        keys = _keys(incident, step, generation, _OUTCOME)
        self._put_new({**keys, "outcome": _text(outcome), "message": _text(message), "at": _text(at)})

    def outcome(self, incident: str, step: str, generation: int) -> str | None:
        """Look up what came of an intent; None when nothing is on record."""
        found = self._get(_keys(incident, step, generation, _OUTCOME))
        return str(found["outcome"]["S"]) if found else None

    def acquire(self, arns: tuple[str, ...], holder: str, lease: timedelta) -> None:
        """Take the locks of all `arns`, in sorted order, or none; what `holder` has already is renewed.

        Raises `ResourceBusyError` naming the first that somebody else holds under a running lease.
        """
        taken: list[str] = []
        for arn in sorted(set(arns)):
            if (other := self._lock(arn, holder, lease)) is not None:
                self.release(tuple(taken), holder)
                raise ResourceBusyError(arn, other)
            taken.append(arn)

    def renew(self, arns: tuple[str, ...], holder: str, lease: timedelta) -> str | None:
        """Prolong the locks, taking back those that ran out; tells who holds one of them instead, None if nobody."""
        others = [self._lock(arn, holder, lease) for arn in sorted(set(arns))]
        return next((other for other in others if other is not None), None)

    def release(self, arns: tuple[str, ...], holder: str) -> None:
        """Give the locks back (`dynamodb:DeleteItem`); those of somebody else stay, and giving back twice is fine."""
        for arn in sorted(set(arns)):
            # A failed condition says that the lock is free or another's by now: there is nothing to give back.
            with suppress(self._db.exceptions.ConditionalCheckFailedException):
                self._db.delete_item(
                    TableName=self._table,
                    Key=_lock_keys(arn),
                    ConditionExpression="holder = :me",
                    ExpressionAttributeValues={":me": _text(holder)},
                )

    def _lock(self, arn: str, holder: str, lease: timedelta) -> str | None:
        """Take or prolong one lock; returns who holds it instead."""
        now = self._clock().timestamp()
        item = {**_lock_keys(arn), "holder": _text(holder), "lease_until": _number(now + lease.total_seconds())}
        standing = self._put(
            item,
            "attribute_not_exists(pk) OR lease_until <= :now OR holder = :me",
            {":now": _number(now), ":me": _text(holder)},
        )
        return str(standing["holder"]["S"]) if standing is not None else None

    def _intents(self, incident: str, step: str) -> Iterator[Intent]:
        start: dict[str, Any] = {}
        while True:
            page = self._db.query(
                TableName=self._table,
                ConsistentRead=True,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": _keys(incident, step, 0)["pk"]},
                **start,
            )
            for item in page["Items"]:
                if not item["sk"]["S"].endswith(_OUTCOME):
                    yield Intent.model_validate_json(item["content"]["S"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _get(self, keys: dict[str, Any]) -> dict[str, Any] | None:
        answer: dict[str, Any] = self._db.get_item(TableName=self._table, Key=keys, ConsistentRead=True)
        return answer.get("Item")

    def _put_new(self, item: dict[str, Any]) -> dict[str, Any] | None:
        return self._put(item, "attribute_not_exists(pk)")

    def _put(self, item: dict[str, Any], condition: str, values: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """Put an item if the condition holds; otherwise write nothing and return the item that stands there."""
        try:
            self._db.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression=condition,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **({"ExpressionAttributeValues": values} if values else {}),
            )
        except self._db.exceptions.ConditionalCheckFailedException as error:
            standing: dict[str, Any] = error.response["Item"]
            return standing
        return None


def _keys(incident: str, step: str, generation: int, suffix: str = "") -> dict[str, Any]:
    return {"pk": _text(f"intent#{incident}/{step}"), "sk": _text(f"{generation:06d}{suffix}")}


def _lock_keys(arn: str) -> dict[str, Any]:
    return {"pk": _text(lock_id(arn)), "sk": _text("lock")}


def _text(value: str) -> dict[str, str]:
    return {"S": value}


def _number(value: float) -> dict[str, str]:
    return {"N": f"{value:.3f}"}


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
