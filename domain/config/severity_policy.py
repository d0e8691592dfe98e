"""The deadlines that a severity sets, as `organisation.yaml` gives them."""

from datetime import timedelta
from typing import Any

from pydantic import model_validator

from domain.values.durations import Duration
from domain.values.frozen import Frozen


class Level(Frozen):
    """When one level of the chain is engaged, counted from the clocks' base; None means never."""

    unacknowledged: Duration | None = None
    unmitigated: Duration | None = None


class SeverityPolicy(Frozen):
    """The deadlines of one severity, in policy time (a sandbox may run it faster).

    With `sign_of_life` whoever commands is paged when nothing was heard of them for so long, and another `repage` later
    the acknowledgement lapses. With `review` the runbook of an incident that was live and is closed is reviewed.
    """

    respond: Duration
    escalate: Duration
    repage: Duration
    approve: Duration
    update: Duration | None = None
    sign_of_life: Duration | None = None
    page_all_leads: bool = False
    review: bool = False
    levels: tuple[Level, ...]

    @model_validator(mode="after")
    def _check(self) -> "SeverityPolicy":
        if self.repage <= timedelta(0) or self.approve <= timedelta(0) or self.respond <= timedelta(0):
            raise ValueError("respond, repage and approve must be longer than nothing")
        if self.sign_of_life is not None and self.sign_of_life <= timedelta(0):
            raise ValueError("sign_of_life must be longer than nothing; leave it out for none")
        for kind in ("unacknowledged", "unmitigated"):
            times = [t for level in self.levels if (t := getattr(level, kind)) is not None]
            if times != sorted(times):
                raise ValueError(f"a later level cannot be engaged earlier ({kind})")
        return self

    @property
    def progress(self) -> timedelta:
        """How long an incident may stay unmitigated before the chain is engaged for that reason."""
        if self.escalate > timedelta(0):
            return self.escalate
        return min((level.unmitigated for level in self.levels if level.unmitigated), default=self.respond)

    def at_speed(self, speed: float) -> "SeverityPolicy":
        """Shorten every duration by `speed`; 1 changes nothing."""
        if speed == 1:
            return self
        return SeverityPolicy.model_validate(_shortened(self.model_dump(), speed))


def _shortened(value: Any, speed: float) -> Any:
    """A value with every duration in it shortened."""
    if isinstance(value, dict):
        return {name: _shortened(inner, speed) for name, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(_shortened(inner, speed) for inner in value)
    return value / speed if isinstance(value, timedelta) else value
