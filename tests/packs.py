"""A quarter to pack: a breach whose duty was missed, a drill, a review, an outage before it and one after it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from domain.config.organisation import Organisation
from domain.model.declaration import Nominal
from starters.files.organisation_folder import load_organisation
from starters.files.shipped import shipped_folder
from tests.builders import T0
from tests.domain.histories import Said, answered, closed, incident, pass_until
from tests.drills import exercise
from tests.reviews import read, reviewed
from tests.starters.ledgered import keep
from tests.starters.vaulted import Vaulted

DAY = timedelta(days=1)
PERIOD = "2026-Q4"


class Quarter(NamedTuple):
    """The ids of what is in the ledger; `before` ended, and `after` was declared, outside the quarter."""

    before: str
    long: str
    breach: str
    drill: str
    review: str
    after: str


def renamed(organisation: Organisation) -> Organisation:
    """The same people, but for the CTO, who is somebody else."""
    people = [one.model_copy(update={"id": "new-cto"}) if "cto" in one.roles else one for one in organisation.contacts]
    return organisation.model_copy(update={"contacts": tuple(people)})


def quarter(world: Vaulted) -> Quarter:
    """Write all of it into the ledger."""
    folder, where = shipped_folder(), {"environment": world.environment}
    spoken = [*answered(4, 20, 60), *closed(70)]
    breach = incident("data-breach", "P0", [Said(5, "acknowledge", by="security-lead")], T0, phi=True, **where)
    pass_until(breach, T0 + 40 * DAY)
    drilled = incident("system-outage", "P0", answered(4, 20, 60), T0 + DAY, mode="drill", drill=exercise(), **where)
    people = renamed(load_organisation(folder))
    review = reviewed(
        read(folder, "database"),
        T0 + 2 * DAY,
        "devops-lead",
        folder,
        organisation=people,
        scheduled=Nominal(schedule="runbook-review", at=T0 + 2 * DAY, missed=(T0 - 90 * DAY,)),
        **where,
    )
    kept = keep(
        world,
        incident("system-outage", "P0", spoken, datetime.fromisoformat("2026-08-03T00:00Z"), **where),
        incident("database", "P1", answered(30), datetime.fromisoformat("2026-09-03T00:00Z"), **where),
        breach,
        drilled,
        review,
        incident("system-outage", "P0", spoken, datetime.fromisoformat("2027-01-03T00:00Z"), **where),
    )
    return Quarter(*kept)
