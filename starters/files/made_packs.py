"""The compliance pack of the months before a run of its schedule: made, kept, and handed to who answers for it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.config.runbook import Phase, ProbeStep, Runbook, TaskStep, made
from domain.model.scheduled import ScheduledCall
from domain.values.periods import months_before

PACK = "compliance-pack"
_OFFICER = "compliance-officer"


def compliance_pack(people: Organisation, where: Environment, call: ScheduledCall, opens: str) -> Runbook:
    """A look at every record of the period, which leaves the pack; a broken one is an incident of type `opens`."""
    on_call = people.on_call or people.chain
    owner = _OFFICER if people.holders(_OFFICER) else on_call[0]
    period = months_before(call.at, ZoneInfo(people.timezone), call.after)
    days = {"first": period.first.isoformat(), "last": period.last.isoformat(), "timezone": people.timezone}
    look = ProbeStep(
        id="pack",
        probe="record.pack",
        title=f"Pack of {period.name}",
        params=days,
        opens=opens,
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
    phase = Phase(id="upkeep", title="Upkeep", steps=(look, ask))
    return made(PACK, f"Compliance pack of {where.name}, {period.name}", on_call, phase, owner=owner)
