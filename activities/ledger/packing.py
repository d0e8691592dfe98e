"""A compliance pack as a probe: it looks at every record of a period, leaves the pack, and says which are broken."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from activities.action import Clients
from activities.ledger.packs import Packer
from domain.model.calls import ObserveCall
from domain.model.finding import Finding, FindingStatus
from domain.values.local_time import Clock
from domain.values.periods import of_days

_FLAWS = 100


def packed(clients: Clients, call: ObserveCall, now: datetime) -> Finding:
    """Make and keep the pack of the days that the probe names; a repeat keeps nothing new. Suspect if one is broken."""
    zone = ZoneInfo(call.params["timezone"])
    period = of_days(date.fromisoformat(call.params["first"]), date.fromisoformat(call.params["last"]), zone)
    packer = Packer(clients, call.scope.environment)
    made = packer.make(period, Clock(zone), now)
    packer.keep(made, now)
    flaws, records = made.pack.flaws, made.pack.incidents
    names = f": {', '.join(list(flaws)[:_FLAWS])}" if flaws else ""
    return Finding(
        status=FindingStatus.SUSPECT if flaws else FindingStatus.OK,
        summary=f"{records} records, {len(flaws)} broken{names}. The pack is at {made.place}",
        facts={"period": period.name, "records": records, "contents": made.pack.statement.contents},
        wrong=flaws,
        evidence=made.place,
    )
