"""Changes that are made of pieces, each read and set by itself: a rule, an entry, a log."""

from collections.abc import Iterable
from typing import Any, Protocol

from domain.model.plan import State, Verification


class Piece(Protocol):
    """One piece; its value is all that is needed to put it back as it was, null while there is none."""

    def read(self) -> Any:
        """Read the value as it stands."""

    def set(self, value: Any) -> None:
        """Set the value, or put the earlier one back."""


def set_all(pieces: Iterable[tuple[str, Piece]], wanted: State) -> None:
    """Set every piece that is not yet as wanted, in the order given; a second time writes nothing."""
    for name, piece in pieces:
        if piece.read() != wanted[name]:
            piece.set(wanted[name])


def as_planned(now: State, wanted: State, what: str) -> Verification:
    """Count the pieces that are as wanted, and name those that are not."""
    wrong = [name for name, value in wanted.items() if now[name] != value]
    rest = f", not yet: {', '.join(wrong)}" if wrong else ""
    return Verification(done=not wrong, message=f"{len(now) - len(wrong)} of {len(now)} {what} as planned{rest}")
