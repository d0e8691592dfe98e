"""Before the first incident: the command as it is typed, against AWS as a server, whose answers go over the wire."""

import json
from typing import Any

import pytest

from tests.e2e.house import House

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_a_started_sandbox_is_ready_until_something_is_not(spare: House) -> None:
    """All is ok, within the contract's document; what is then switched off is found, and nothing else."""
    rows = spare.json("preflight")
    assert [row for row in rows if row["status"] != "ok"] == []
    _recovery(spare, enabled=False)
    try:
        done = spare.call("preflight", "--json")
    finally:
        _recovery(spare, enabled=True)
    lost = [row for row in json.loads(done.stdout) if row["status"] != "ok"]
    assert lost == [
        {
            "check": "ledger table",
            "target": "ledger_table",
            "status": "wrong",
            "detail": "no point-in-time recovery; enable it",
        }
    ]
    assert (done.returncode, done.stderr) == (1, f"1 of {len(rows)} checks are not ok in sandbox\n")


def _recovery(house: House, *, enabled: bool) -> None:
    given: Any = {"PointInTimeRecoveryEnabled": enabled}
    dynamodb = house.aws("dynamodb")
    (table,) = dynamodb.list_tables()["TableNames"]
    dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=given)
