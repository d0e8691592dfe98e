"""The wire between test clients and AWS, by botocore's events: what goes over it, and what comes back instead."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

READS = (
    "AdminGet",
    "AdminList",
    "BatchGet",
    "Describe",
    "Filter",
    "Get",
    "Head",
    "Invoke",
    "List",
    "Lookup",
    "Query",
    "Scan",
)
"""What the names of operations that only read begin with; every other one counts as a write."""


@dataclass(frozen=True)
class Sent:
    """One request: the `number`-th of its operation since listening began, and whether botocore may send it again."""

    service: str
    operation: str
    number: int
    repeats: bool = field(compare=False)
    asked: dict[str, Any] = field(compare=False, hash=False)

    @property
    def writes(self) -> bool:
        return not self.operation.startswith(READS)

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}#{self.number}"


Instead = Callable[[Sent], str | None]
"""Gives the code that a request is answered with before it has any effect; None lets it through, AGAIN twice."""

AGAIN = "again"
"""The answer to the first is lost: botocore sends the very same once more, and what comes of that is the answer."""


class Wire:
    """Notes what is sent while somebody listens, and lets `instead` answer it. Threads may send at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deaf = threading.local()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._instead: Instead | None = None
        self.sent: list[Sent] = []

    def tap(self, events: Any) -> None:
        """Hear every client that is made with these events of a botocore session."""
        events.register("provide-client-params", self._remember)
        events.register_first("before-call", self._answer)
        events.register("needs-retry", self._again)

    @contextmanager
    def listening(self, instead: Instead = lambda _: None) -> Iterator[list[Sent]]:
        """Note all that is sent meanwhile, counted anew."""
        self._counts.clear()
        self.sent = []
        self._instead = instead
        try:
            yield self.sent
        finally:
            self._instead = None

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Neither note nor answer what this thread sends meanwhile."""
        before, self._deaf.now = getattr(self._deaf, "now", False), True
        try:
            yield
        finally:
            self._deaf.now = before

    def _remember(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = params

    def _answer(self, model: Any, context: dict[str, Any], **_: Any) -> Any:
        if self._instead is None or getattr(self._deaf, "now", False):
            return None
        operation = (model.service_model.service_name, model.name)
        attempts = context["client_config"].retries["total_max_attempts"]
        with self._lock:
            sent = Sent(*operation, self._counts[operation], repeats=attempts > 1, asked=context["asked"])
            self._counts[operation] += 1
            self.sent.append(sent)
        code = self._instead(sent)
        context[AGAIN] = code == AGAIN
        return None if code in {None, AGAIN} else refusal(str(code))

    def _again(self, request_dict: dict[str, Any], **_: Any) -> float | None:
        return 0 if request_dict["context"].pop(AGAIN, False) else None


def refusal(code: str, status: int = 400) -> tuple[Any, dict[str, Any]]:
    """What a `before-call` handler answers for an error of AWS; a cancelled transaction says why, as it always does."""
    error = {"Error": {"Code": code, "Message": "as the test wants it"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    if code == "TransactionCanceledException":
        error["CancellationReasons"] = [{"Code": "TransactionConflict"}]
    return SimpleNamespace(status_code=status), error
