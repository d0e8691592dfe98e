"""What was seen of a claim is put on record by the hands and by whoever keeps it: no other role's policy lets it."""

import json

from activities.permissions.roles import LEDGER, roles
from deploy.policies.documents import policy
from domain.values.ids import FORENSICS_QUEUE, REMEDIATE_QUEUE
from sandbox.aws.iam import decide
from tests.sandbox.worlds import shipped

SEEN = f"seen#{'0f' * 32}"
WRITES = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem")


def _may(role: str, action: str) -> bool:
    where = shipped()
    statements = json.loads(json.dumps(policy(role, where)))["Statement"]
    table = where.arn("dynamodb", f"table/{where.ledger_table}")
    return decide(statements, action, table, {"dynamodb:LeadingKeys": [SEEN]}) == "allowed"


def test_only_hands_and_keeper_put_it() -> None:
    """Neither who pages and informs, nor who looks, nor the worker itself, nor the console; nobody deletes it."""
    writing = {role for role in roles() if _may(role, "dynamodb:PutItem")}
    assert LEDGER in writing
    assert writing - {LEDGER, FORENSICS_QUEUE} == {one for one in roles() if one.startswith(f"{REMEDIATE_QUEUE}-")}
    assert not [(role, action) for role in roles() for action in WRITES[1:] if _may(role, action)]


def test_whoever_judges_by_it_reads_it() -> None:
    """Each role that carries out changes, and the keeper of the record."""
    judging = [one for one in roles() if one in {LEDGER, FORENSICS_QUEUE} or one.startswith(f"{REMEDIATE_QUEUE}-")]
    assert all(_may(role, "dynamodb:GetItem") for role in judging)
