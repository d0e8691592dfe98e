"""AWS is away, or loses every answer, for half an hour amid a breach, an outage and a database incident."""

import time
from collections import Counter
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from tests.e2e.account import Portal
from tests.e2e.house import Document, House
from tests.e2e.record import assert_recorded_once
from tests.e2e.wire import Wire, wire
from tests.e2e.workers import Worker, running
from tests.waiting import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("attacks"),
    pytest.mark.long,
]

SPEED = 100
MINUTE_SECONDS = 60 / SPEED
AWAY_MINUTES = 31
EVIDENCE = ("snapshot-database", "preserve-logs")
TROUBLE = ("evidence is not being preserved yet", "there is no plan yet", "the ledger cannot be written")
COPIES = 3


def away(its: Wire) -> AbstractContextManager[None]:
    return its.down("")


def losing(its: Wire) -> AbstractContextManager[None]:
    return its.losing("")


@pytest.mark.parametrize("trouble", [away, losing], ids=["away", "answers lost"])
def test_half_an_hour_without_aws_fails_nothing_that_can_wait(house: House, trouble: Any) -> None:
    """Evidence is kept once AWS is back, each change is made once, and people get their pages, three copies at most."""
    portal = Portal(house)
    fault, deployed = portal.break_(), portal.deployed()
    with wire(house.variables["AWS_ENDPOINT_URL"]) as its, running(Worker(house, AWS_ENDPOINT_URL=its.url)) as worker:
        with trouble(its):
            began = time.monotonic()
            breach = declared(house, "data-breach", by="security-lead")
            outage = declared(house, "system-outage", by="devops-lead")
            database = declared(house, "database", by="devops-lead")
            house.asking.update(outage, "request_change", by="development-lead", step="rollback")
            until(lambda: time.monotonic() - began > AWAY_MINUTES * MINUTE_SECONDS, "half an hour is over", seconds=60)
            state = house.state(breach)
            assert {one["status"] for one in state["changes"]} == {"planning"}, worker.log
            assert clock(state, "evidence:snapshot-database") == "breached"
        change = house.change(outage, "awaiting-approval")
        house.asking.update(change["workflow_id"], "approve", by="technical-manager", digest=change["plan"]["digest"])
        house.change(outage, "applied")
        for step in EVIDENCE:
            until(partial(applied, house, breach, step), f"{step} is applied", seconds=90)
        assert portal.deployed() == [*deployed, fault.good]
        assert its.count("rds.CreateDBSnapshot") == its.count("ecs.UpdateService") == 1
        for incident, simulated in ((breach, "security-lead"), (outage, "devops-lead"), (database, "devops-lead")):
            house.asking.update(incident, "mitigated", by=simulated, summary="AWS is back")
            state = house.state(incident)
            assert_pages(house, state, simulated)
            assert_delivered(house, incident, state["pages"])
            assert_recorded_once(house, incident)
            house.asking.run(house.asking.client.get_workflow_handle(incident).terminate("seen enough"))


def declared(house: House, kind: str, by: str) -> str:
    """A P0 that somebody takes at once."""
    answer = house.json("start", kind, "--severity", "P0", "--title", f"Without AWS: {kind}", "--speed", str(SPEED))
    incident: str = answer["incident_id"]
    house.asking.update(incident, "acknowledge", by=by)
    return incident


def applied(house: House, incident: str, step: str) -> bool:
    changes = house.state(incident)["changes"]
    return (step, "applied") in {(one["step"], one["status"]) for one in changes}


def clock(state: Document, name: str) -> str | None:
    return next((one["state"] for one in state["clocks"] if one["name"] == name), None)


def assert_pages(house: House, state: Document, commander: str) -> None:
    """Fail unless people were paged as the rules page by themselves, and once about each thing that did not come."""
    asked = ("--answer", f"ack at 0m by {commander}", "--for", "59m")
    simulated = house.json("simulate", state["type"], "--severity", "P0", *asked)["pages"]
    usual = Counter((page["role"], page["reason"]) for page in simulated)
    pages = Counter((page["role"], page["reason"]) for page in state["pages"])
    more = pages - usual
    assert all(times == 1 for times in more.values()), more
    about = {reason.partition(":")[0] for _, reason in more}
    assert about <= {*TROUBLE, "approval needed", "not mitigated"}, more
    assert usual - pages <= Counter({(role, "not mitigated"): 1 for role in ("cto", "ceo")})


def assert_delivered(house: House, incident: str, pages: list[Document]) -> None:
    """Fail unless every page reached its reader, as three copies at most."""
    asked = Counter((page["to"], page["reason"]) for page in pages)

    def came() -> Counter[tuple[str, str]]:
        sent = [one for one in house.outbox(incident) if one["channel"] in {"sms", "email"}]
        return Counter((one["role"], one["subject"]) for one in sent)

    roles = Counter(page["role"] for page in pages)
    until(lambda: all(sum(n for (r, _), n in came().items() if r == role) >= roles[role] for role in roles), "all come")
    for (role, subject), copies in came().items():
        told = sum(times for (_, reason), times in asked.items() if reason in subject) or 1
        assert copies <= COPIES * told, (role, subject, copies)
