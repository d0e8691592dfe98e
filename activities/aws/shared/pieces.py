"""Changes that are made of pieces, each read and set by itself: a rule, an entry, a log, an account."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from activities.action import ChangeAction, P, PartlyDoneError, RuleError
from activities.aws.shared.error_codes import is_of_aws
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification, foreign_fields

GONE = "gone"
"""The value of a piece that no longer exists, where that needs no waiting for."""
_NAMED = 5


class Piece(Protocol):
    """One piece; its value is all that is needed to put it back as it was, null while there is none."""

    def read(self) -> Any:
        """Read the value as it stands."""

    def set(self, value: Any) -> None:
        """Set the value, or put the earlier one back."""


class CompositeChange(ChangeAction[P]):
    """A change made of pieces that stand alone; its state has one field a piece."""

    @abstractmethod
    def pieces(self, scope: Scope, wanted: State, context: State) -> Iterable[tuple[str, Piece]]:
        """The piece of each field, in the order in which they are set to the values of `wanted`.

        Those that `wanted` does not have are left out by whoever asks: it may be the rest of a plan.
        """

    def values(self, scope: Scope, wanted: State, context: State) -> State:
        """Read the pieces of a plan that may still be in the making."""
        return {name: piece.read() for name, piece in self.pieces(scope, wanted, context) if name in wanted}

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read every piece of the plan."""
        return self.values(scope, plan.after, plan.context)

    def act(self, scope: Scope, plan: Plan) -> None:
        """Set every piece that is not yet as planned; a second time writes nothing.

        One that is refused keeps no other from being set. Raises `PartlyDoneError` when some could not be set.
        """
        errors: dict[str, Exception] = {}
        for name, piece in self.pieces(scope, plan.after, plan.context):
            if name in plan.changing:
                try:
                    if piece.read() != plan.after[name]:
                        piece.set(plan.after[name])
                except Exception as error:  # noqa: BLE001 - raised below, once the others were tried
                    errors[name] = error
        if errors:
            raise PartlyDoneError(errors)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether every piece is as planned; failed where one is neither that nor as it was before."""
        now = self.read(scope, plan)
        here = {name: value for name, value in now.items() if value != GONE}
        wrong = [name for name, value in here.items() if value != plan.after[name]]
        message = f"{len(now) - len(wrong)} of {len(now)} as planned"
        if foreign := foreign_fields(here, plan):
            message += f"; somebody changed {some(foreign)} meanwhile"
        elif wrong:
            message += f", not yet: {some(wrong)}"
        return Verification(done=not wrong, failed=bool(foreign), message=message)


def in_order(steps: Iterable[tuple[str, Callable[[], None]]]) -> None:
    """Take steps by their fields, none before those ahead of it; they are looked for before the first is taken.

    Raises `PartlyDoneError` with why one was refused, and all behind it, which wait for it; any other error as it is.
    """
    left = list(steps)
    for place, (name, take) in enumerate(left):
        try:
            take()
        except Exception as error:
            if not (is_of_aws(error) or isinstance(error, RuleError)):
                raise
            behind = dict.fromkeys((one for one, _ in left[place + 1 :]), RuleError(f"it waits for {name}"))
            raise PartlyDoneError({name: error, **behind}) from error


def some(names: list[str]) -> str:
    """Name the first few of many."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
