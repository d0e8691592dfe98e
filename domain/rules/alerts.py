"""Further alerts under the key of an incident that is still open."""

from collections.abc import Iterator

from domain.model.event_kinds import Happening
from domain.model.events import AlertRepeated
from domain.model.state import IncidentState
from domain.model.timeline import bounded
from domain.rules.lifecycle import reopened
from domain.values.status import Status

_TEXT_MAX = 4000


def repeated(state: IncidentState, by: str, text: str) -> Iterator[Happening]:
    """Count a duplicate alert; one on a resolved incident reopens it. Of a very long text the beginning is kept."""
    by, text = bounded(by), text if len(text) <= _TEXT_MAX else f"{text[: _TEXT_MAX - 1]}…"
    yield Happening(AlertRepeated(text=text), by)
    if state.status is Status.RESOLVED:
        yield from reopened(state, by, "the same alert came again")
