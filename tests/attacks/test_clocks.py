"""A worker whose clock is wrong, and one that cannot reach the store: people are paged, and nothing is changed."""

import re
from contextlib import ExitStack
from datetime import timedelta

import pytest

from tests.e2e.account import Portal
from tests.e2e.house import House
from tests.e2e.wire import wire
from tests.e2e.workers import Worker, running
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("attacks")]

LEADS = 4
STORE = "dynamodb."
AHEAD = timedelta(minutes=6)


def approved(house: House, incident: str) -> None:
    """Somebody asks for a rollback, and it is approved."""
    house.asking.update(incident, "request_change", by="devops-lead", step="rollback")
    change = house.change(incident, "awaiting-approval")
    house.asking.update(change["workflow_id"], "approve", by="technical-manager", digest=change["plan"]["digest"])
    house.change(incident, "applying")


def test_a_worker_with_a_wrong_clock_pages_and_changes_nothing(house: House) -> None:
    """It says by how much it is off; another worker, whose clock is right, takes the change that it refused."""
    portal = Portal(house)
    fault, deployed = portal.break_(), portal.deployed()
    with wire(house.variables["AWS_ENDPOINT_URL"]) as its, its.clock(STORE, -AHEAD):  # noqa: SIM117
        with running(Worker(house, AWS_ENDPOINT_URL=its.url)) as wrong:
            incident = house.start("A clock is ahead")
            until(lambda: len(house.outbox(incident)) >= LEADS, "the leads are paged")
            approved(house, incident)
            refused = until(lambda: _said(wrong, "ClockOff"), "the change is refused")
            assert re.search(r"(359|360) s ahead of the store's: let NTP set it", refused)
            assert _said(wrong, "this machine's clock is off")
            assert its.count("ecs.UpdateService") == 0
            assert portal.deployed() == deployed
            with running(Worker(house)) as right:
                house.change(incident, "applied")
                right.stop()
    assert portal.deployed() == [*deployed, fault.good]


def _said(worker: Worker, what: str) -> str | None:
    """The line of its log that holds this."""
    return next((line for line in worker.log.splitlines() if what in line), None)


def test_a_worker_that_cannot_reach_the_store_starts_and_pages(house: House) -> None:
    """Its plan is read and approved without a record of it; nothing is changed until the store is there."""
    portal = Portal(house)
    fault, deployed = portal.break_(), portal.deployed()
    with wire(house.variables["AWS_ENDPOINT_URL"]) as its, ExitStack() as running_:
        with its.down(STORE):
            running_.enter_context(running(Worker(house, AWS_ENDPOINT_URL=its.url)))
            incident = house.start("The store is not there")
            until(lambda: len(house.outbox(incident)) >= LEADS, "the leads are paged")
            approved(house, incident)
            assert portal.deployed() == deployed
        house.change(incident, "applied")
    assert portal.deployed() == [*deployed, fault.good]
