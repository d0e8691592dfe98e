"""A Lambda function that writes down what it is asked, which moto would run in a container."""

import json
from typing import Any

from tests.activities.checked import Checked


class FakeLambda(Checked):
    """Answers as told: `failed` is the `FunctionError` of a function that raised (Lambda API, Invoke)."""

    service = "lambda"

    def __init__(self, failed: str | None = None) -> None:
        self.failed = failed
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def invoke(self, **asked: Any) -> dict[str, Any]:
        self.asked.append((asked["FunctionName"], json.loads(asked["Payload"])))
        return {"StatusCode": 200, **({"FunctionError": self.failed} if self.failed else {})}
