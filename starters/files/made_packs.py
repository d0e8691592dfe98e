"""The compliance pack of the months before a run of its schedule: made, kept, and handed to who answers for it."""

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from domain.config.runbook import Phase, ProbeStep, Runbook, TaskStep
from domain.values.periods import months_before
from domain.values.severity import Severity

if TYPE_CHECKING:
    from starters.files.made import Files

PACK = "compliance-pack"
_OFFICER = "compliance-officer"


def compliance_pack(files: "Files") -> Runbook:
    """A look at every record of the period, which leaves the pack; each broken record is an incident of its own."""
    from starters.files.made import OPENED

    people, where = files.organisation, files.environment
    on_call = people.on_call or people.chain
    owner = _OFFICER if people.holders(_OFFICER) else on_call[0]
    period = months_before(files.call.at, ZoneInfo(people.timezone), files.call.after)
    days = {"first": period.first.isoformat(), "last": period.last.isoformat(), "timezone": people.timezone}
    look = ProbeStep(
        id="pack",
        probe="record.pack",
        title=f"Pack of {period.name}",
        params=days,
        opens=OPENED,
        key=f"audit:{where.name}",
    )
    bucket = where.evidence.bucket if where.evidence else "no evidence bucket"
    place = f"{bucket}, under reports/packs/{where.name}/{period.name}/"
    ask = TaskStep(
        id="hand-over",
        task=f"Look through the compliance pack of {period.name}: it is in {place}",
        owner=owner,
        due=timedelta(days=14),
    )
    return Runbook(
        id=PACK,
        title=f"Compliance pack of {where.name}, {period.name}",
        version="1",
        severities=(Severity.P3,),
        owner=owner,
        on_call=on_call,
        phases=(Phase(id="upkeep", title="Upkeep", steps=(look, ask)),),
    )
