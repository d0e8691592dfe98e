"""What proofs cost: the incident in which everybody signs what counts, against the same in a sandbox, in turns."""

from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

from authority.claims import Act, Claim
from benchmarks import latency, outage, throughput
from benchmarks.figures import Figure, compared, percentile
from benchmarks.outage import Said
from benchmarks.sides import Handle, OurSide
from benchmarks.signatures import House, signed, staging
from benchmarks.stage import Size, Stage
from domain.model import acts
from domain.model.commands import INCIDENT_COMMANDS


class Signing(OurSide):
    """The incident as it is shipped, in staging."""

    name = "signed"

    async def start(self, workflow_id: str, **changes: Any) -> Handle:
        return await super().start(workflow_id, environment=staging(), **changes)

    def spoken(self, workflow_id: str, said: Said) -> Said:
        """The same, signed."""
        name, payload = said
        about: dict[str, Any]
        if name in INCIDENT_COMMANDS:
            given = acts.given(acts.read(name, payload))
            about = {"step": given.get("step"), "act": Act(acts.ACTS[name]), "subject": acts.subject(name, given)}
        else:
            about = {"step": outage.CHANGE, "generation": 1, "act": Act(name), "subject": payload["digest"]}
        now = datetime.now(UTC).replace(microsecond=0)
        claim = Claim(
            organisation=House().organisation().id,
            environment=outage.ENVIRONMENT,
            incident=workflow_id,
            by=payload["by"],
            at=now,
            expires=now + timedelta(hours=1),
            nonce=token_hex(16),
            **about,
        )
        return name, {**payload, "proof": signed(claim)}


async def run(stage: Stage, size: Size) -> list[Figure]:
    """Tell incidents a second, worker CPU an incident, and from the approval to the first call, one at a time."""
    ours, base = Signing(stage.ours.client, stage.ours.worker), stage.ours
    incidents, approvals = (2, 1) if size.quick else (throughput.INCIDENTS, latency.IDLE)
    bursts, waits = [], []
    for _ in range(size.pairs):
        bursts.append((await throughput.burst(ours, incidents), await throughput.burst(base, incidents)))
        waits.append((await latency.idle(ours, approvals), await latency.idle(base, approvals)))
    rates = [(one[0], other[0]) for one, other in bursts]
    cpu = [(one[1] * 1000, other[1] * 1000) for one, other in bursts]
    slow = {at: [(percentile(a, at) * 1000, percentile(b, at) * 1000) for a, b in waits] for at in (50, 99)}
    return [
        compared("proven", "incidents a second", "1/s", rates, None, at_most=False),
        compared("proven", "worker CPU an incident", "ms", cpu, None, at_most=True),
        *(
            compared("proven", f"approval to first call, idle, p{at}", "ms", pairs, None, at_most=True)
            for at, pairs in slow.items()
        ),
    ]
