"""The Lambda function that counts what was restored: it answers from here, as moto would need Docker to run one."""

import json
from datetime import timedelta
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.awslambda.responses import LambdaResponse
from moto.rds.models import DBInstance, rds_backends

from sandbox.aws.moto_patch import patch
from sandbox.aws.rds_restores import restored_from
from sandbox.aws.rds_state import AVAILABLE, state_of
from sandbox.aws.rollout import LOCK, moment

_invoke = LambdaResponse.invoke
_COUNTERS = "counters"
_TABLES = {"patients": 18_204, "reports": 46_977, "studies": 48_210}
_QUIET = timedelta(seconds=40)


def install() -> None:
    """Patch moto with this operation."""
    patch(LambdaResponse, invoke=invoke)


def made(account: str, region: str, name: str) -> None:
    """Let there be a function of this name that counts."""
    vars(lambda_backends[account][region]).setdefault(_COUNTERS, set()).add(name)


def invoke(response: LambdaResponse) -> tuple[int, dict[str, str], str | bytes]:
    """Count, or with `DryRun` say that it would (Lambda API Invoke: 204); every other function is moto's own."""
    name = response.path.rsplit("/", 2)[-2]
    if name not in vars(response.backend).get(_COUNTERS, ()):
        answer: tuple[int, dict[str, str], str | bytes] = _invoke(response)
        return answer
    if response.headers.get("X-Amz-Invocation-Type") == "DryRun":
        return 204, {}, ""
    asked = json.loads(response.body)
    with LOCK:
        instances = rds_backends[response.current_account][response.region].databases.values()
        found = next((one for one in instances if one.address == asked["host"]), None)
        if found is None or state_of(found).status != AVAILABLE:
            failed = {"errorType": "OperationalError", "errorMessage": "could not connect"}
            return 200, {"X-Amz-Function-Error": "Unhandled"}, json.dumps(failed)
        return 200, {}, json.dumps(_counted(found))


def _counted(instance: DBInstance) -> dict[str, Any]:
    """The rows of a database as of its snapshot."""
    snapshot = restored_from(instance)
    until = snapshot.original_snapshot_create_time if snapshot else moment()
    newest = (until - _QUIET).isoformat()
    return {
        "counted_at": moment().isoformat(),
        "tables": {name: {"rows": rows, "newest": newest} for name, rows in _TABLES.items()},
    }
