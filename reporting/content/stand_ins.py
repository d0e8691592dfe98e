"""Who stood in for which role during an incident, as blocks."""

from collections.abc import Iterator

from domain.model.state import IncidentState
from domain.values.local_time import Clock
from reporting.content.blocks import Block, Heading, Table


def stand_ins(state: IncidentState, clock: Clock) -> Iterator[Block]:
    """Everybody who held a role for another, from when until when, and who had said so; nothing where nobody did."""
    known = [one.as_it_is() for one in state.stand_ins if one.begun]
    if not known:
        return
    yield Heading(2, "Stand-ins")
    rows = [[one.to, one.role, clock(one.since), clock(one.ends), one.by, one.reason] for one in known]
    yield Table(["Who", "Stood in as", "From", "Until", "By", "Why"], rows)
