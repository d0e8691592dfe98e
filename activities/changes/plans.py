"""Plans that the hands made, on record under their digest until one of them is carried out.

pk                         sk                  what it holds
plan#<incident>/<step>     000001#<digest>     the plan, who asked for it, with which parameters, and when it was made
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from activities.action import RuleError
from activities.ledger.table import Item, Table, keys, text
from domain.model.plan import Plan


class MadePlan(BaseModel):
    """A plan as it was made. `undo_of` is the generation that it takes back; `at` is UTC."""

    plan: Plan
    params: dict[str, Any]
    requested_by: str
    undo_of: int | None = None
    at: datetime


class Plans:
    """The plans on record of one environment. Lets botocore's errors through."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, incident: str, step: str, generation: int, made: MadePlan) -> None:
        """Put a plan on record (`dynamodb:PutItem`); the first of its digest stands."""
        item = _keys(incident, step, generation, made.plan.digest)
        self._table.put({**item, "content": text(made.model_dump_json(by_alias=True))})

    def find(self, incident: str, step: str, generation: int, digest: str) -> MadePlan | None:
        """The plan of a digest (`dynamodb:GetItem`); None where no worker of ours has made one."""
        found = self._table.get(_keys(incident, step, generation, digest))
        return MadePlan.model_validate_json(found["content"]["S"]) if found else None

    def get(self, incident: str, step: str, generation: int, digest: str) -> MadePlan:
        """The plan of a digest. Raises `RuleError` for one that no worker of ours made so."""
        made = self.find(incident, step, generation, digest)
        if made is None or made.plan.digest != digest or not made.plan.is_sealed():
            raise RuleError(
                f"no plan of digest {digest[:12]} is on record for {incident}/{step}/{generation}: plan again"
            )
        return made


def _keys(incident: str, step: str, generation: int, digest: str) -> Item:
    return keys(f"plan#{incident}/{step}", f"{generation:06d}#{digest}")
