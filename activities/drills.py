"""What a drill needs of the world: a fault that is injected and withdrawn, and a look whether something real happens.

What injects is a Lambda function of the environment's account, named for the fault in the environment's file. It is
given `{"do": "inject" | "withdraw", "fault": NAME, "drill": ID}`, and answers within a minute. What it has injected or
withdrawn under an id it leaves as it is.
"""

import json
from datetime import timedelta
from typing import Literal

from temporalio.client import Client
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.action import Clients, RuleError
from activities.aws.shared.account import Account
from activities.house import House, environment_of
from domain.model.drill import FaultCall
from domain.values import ids
from domain.values.errors import ErrorKind
from domain.values.severity import Severity
from domain.values.status import FINAL, Status

_LOOK_AGAIN = timedelta(seconds=10)
_OVER = {*FINAL, Status.RESOLVED}
_URGENT = (
    f"WorkflowType = 'Incident' AND ExecutionStatus = 'Running' AND {ids.INCIDENT_MODE} = 'live' "
    f"AND {ids.INCIDENT_SEVERITY} IN ('{Severity.P0}', '{Severity.P1}')"
)


class Faults:
    """Injects faults and withdraws them."""

    def __init__(self, clients: Clients, house: House) -> None:
        self._clients = clients
        self._house = house
        self._account = Account(clients)

    def inject(self, call: FaultCall) -> None:
        """Make it so (Lambda `Invoke`, synchronously); a repeat under the same id changes nothing."""
        self._invoke("inject", call)

    def withdraw(self, call: FaultCall) -> None:
        """Take it back, whatever people have mended of it by now; a repeat changes nothing."""
        self._invoke("withdraw", call)

    def _invoke(self, do: Literal["inject", "withdraw"], call: FaultCall) -> None:
        """Raises `RuleError` where no function is named, as in production, or the credentials are of another account;
        where it failed an error that is retried.

        A function's own failure is an answer of status 200 with `FunctionError` (Lambda API, Invoke).
        """
        environment = environment_of(self._house, call.environment)
        if (function := environment.faults.get(call.fault)) is None:
            raise RuleError(f"environment {environment.name} names no function for {call.fault}: add it to its faults")
        self._account.refuse_foreign(environment)
        asked = json.dumps({"do": do, "fault": call.fault, "drill": call.id})
        answer = self._clients.once("lambda").invoke(FunctionName=function, Payload=asked.encode())
        if failed := answer.get("FunctionError"):
            raise ApplicationError(f"{function} failed to {do} {call.fault}: {failed}", type=ErrorKind.TRANSIENT.value)


async def urgent(client: Client) -> list[str]:
    """The incidents for which people are needed more than for a drill: live, P0 or P1, and not resolved yet.

    Wherever they are: the people are the same.
    """
    status = ids.INCIDENT_STATUS
    return [
        one.id
        async for one in client.list_workflows(_URGENT)
        if str(next((a.value for a in one.typed_search_attributes if a.key.name == status), "")) not in _OVER
    ]


async def watch(client: Client) -> str:
    """The first of them. Raises `NotYet` while there is none: the next look is a retry, which costs no history."""
    if found := await urgent(client):
        return found[0]
    raise ApplicationError(
        "nothing real happens",
        type=ErrorKind.NOT_YET.value,
        next_retry_delay=_LOOK_AGAIN,
        category=ApplicationErrorCategory.BENIGN,
    )
