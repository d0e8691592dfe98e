"""A dry run looks and plans: it writes nothing, pages nobody, and tells nobody."""

import re

import pytest

from tests.e2e.account import Portal, snapshot
from tests.e2e.house import House
from tests.e2e.wire import wire
from tests.e2e.workers import Worker, running

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-apart")]

WHAT_IF = ("start", "system-outage", "--severity", "P0", "--title", "What if", "--dry-run")
READS = re.compile(r"[\w-]+\.((Describe|List|Get|Filter)\w+|Query|StartQuery)|s3\.(GET|HEAD) .*")


def test_dry_run_shows_the_plans_and_writes_nothing(spare: House) -> None:
    """`start --dry-run` prints findings and plans; of all requests to AWS none writes, and nothing is delivered."""
    house = spare
    with (
        wire(house.variables["AWS_ENDPOINT_URL"]) as aws,
        wire(house.variables["STATUSPAGE_URL"]) as page,
    ):
        portal = Portal(house)
        fault, before = portal.break_(), snapshot(house, moved="")
        with running(Worker(house, AWS_ENDPOINT_URL=aws.url, STATUSPAGE_URL=page.url)):
            answer = house.json(*WHAT_IF)
            shown = house.run(*WHAT_IF)
        made = {one.operation for one in aws.calls}
        assert {"ecs.DescribeServices", "logs.FilterLogEvents"} <= made
        assert [one for one in made if not READS.fullmatch(one)] == []
        assert page.calls == []
        assert house.outbox(answer["incident_id"]) == []
        assert snapshot(house, moved="") == before
    state = answer["state"]
    assert (state["mode"], state["status"], state["pages"]) == ("dry-run", "closed", [])
    plans = {change["step"]: change for change in state["changes"]}
    steps = ("rollback", "scale-up", "maintenance-page")
    assert {step: change["status"] for step, change in plans.items()} == dict.fromkeys(steps, "planned")
    assert plans["rollback"]["plan"]["after"] == {"task_definition": fault.good}
    assert plans["rollback"]["plan"]["summary"] in " ".join(shown.split())
