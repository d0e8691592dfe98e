"""The looks at proofs, as workflow tests have them: a proof says itself whether it is good, or a worker's files do."""

import asyncio
from datetime import UTC, datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import proofs
from activities.house import House
from domain.model.proofs import ClaimAsked, Proven, Verdict

LOOKED: list[ClaimAsked] = []
"""What was looked at, in order."""

HOUSES: list[House] = []
"""By whose register proofs are looked at in earnest, where one is there."""


@activity.defn(name="proofs.check")
def check(asked: ClaimAsked) -> Verdict:
    LOOKED.append(asked)
    if HOUSES:
        return proofs.check(HOUSES[0], asked, datetime.now(UTC))
    if asked.proof.get("good"):
        return Verdict(proven=Proven(method="ssh", key="SHA256:key"))
    return Verdict(reason="its proof is bad")


WITNESSED: list[ClaimAsked] = []
"""What the hands were asked about, in order."""


class Sts:
    """Answers while it is there, once it may."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """It is there again; what waits for it is of another test's loop."""
        self.away = False
        self.may = asyncio.Event()
        self.may.set()


STS = Sts()


@activity.defn(name="proofs.witness")
async def witness(asked: ClaimAsked) -> Verdict:
    WITNESSED.append(asked)
    await STS.may.wait()
    if STS.away:
        raise ApplicationError("STS could not be asked: ConnectionError", type="Transient")
    if asked.proof.get("good"):
        return Verdict(proven=Proven(method="aws-iam", key="arn:aws:iam::123456789012:user/cto"))
    return Verdict(reason="its proof is bad")
