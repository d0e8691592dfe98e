"""What is done for practice waits while people are needed for something real."""

from collections.abc import Callable
from contextlib import suppress

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.model.drill import POSTPONED
    from domain.values.severity import Severity

from workflows import profiles
from workflows.asking import ask
from workflows.uncancelled import wait_condition


async def put_off(days: int, speed: float, is_over: Callable[[], bool] = lambda: False) -> str | None:
    """Wait for an hour at which nobody is needed for something real; else what is still open after so many days.

    None as well once it is over for another reason.
    """
    busy: list[str] = []
    for day in range(days + 1):
        if day:
            with suppress(TimeoutError):
                await wait_condition(is_over, timeout=POSTPONED / speed, timeout_summary=f"{busy[0]} is open")
        options = profiles.with_profile(profiles.LIVE, Severity.P3, "What else is open")
        busy = await ask("drills.live", list[str], options)
        if is_over() or not busy:
            return None
    return busy[0]
