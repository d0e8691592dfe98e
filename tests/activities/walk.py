"""Every call in turn: an activity is tried again until each of its calls was answered with each code once."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from temporalio.exceptions import ApplicationError

from activities.aws.shared.error_codes import kind_of_answer
from domain.values.errors import FINAL, ErrorKind
from tests.activities.wire import Sent
from tests.activities.world import WIRE

Codes = Callable[[Sent], Iterable[str]]


@dataclass(frozen=True)
class Met:
    """A request that was answered with `code`, and the error that came out; None where none did."""

    sent: Sent
    code: str
    error: ApplicationError | None

    def __str__(self) -> str:
        return f"{self.code} to {self.sent}"

    @property
    def kind(self) -> ErrorKind:
        """What the code is, by the table."""
        return kind_of_answer({"Error": {"Code": self.code}}, self.sent.operation)

    @property
    def is_final(self) -> bool:
        """Whether the first attempt that meets it is the last one, by the table."""
        return self.kind in FINAL and self.kind is not ErrorKind.EXPIRED_CREDENTIALS


class Walk:
    """Tries `attempt` until it comes through with nothing left to meet; then its answer stands in `result`.

    Each attempt is one of Temporal's: the first call that has not met all of its codes meets the next, without effect.
    """

    def __init__(self, attempt: Callable[[], Any], codes: Codes) -> None:
        self._attempt = attempt
        self._codes = codes
        self._met: set[tuple[Sent, str]] = set()
        self.result: Any = None

    def __iter__(self) -> Iterator[Met]:
        while True:
            chosen: list[tuple[Sent, str]] = []
            error: ApplicationError | None = None
            with WIRE.listening(partial(self._choose, chosen)):
                try:
                    self.result = self._attempt()
                except ApplicationError as raised:
                    error = raised
            if not chosen:
                if error is not None:
                    raise error
                return
            yield Met(*chosen[0], error)

    def _choose(self, chosen: list[tuple[Sent, str]], sent: Sent) -> str | None:
        code = next((code for code in self._codes(sent) if (sent, code) not in self._met), None)
        if code is None or chosen:
            return None
        chosen.append((sent, code))
        self._met.add((sent, code))
        return code
