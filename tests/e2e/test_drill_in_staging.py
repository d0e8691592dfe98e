"""A whole drill in staging, while production's AWS is watched from outside: nobody comes by, and nothing moves."""

from collections.abc import Iterator

import boto3
import pytest
from temporalio.client import WorkflowExecutionStatus

from domain.values.ids import drill_workflow_id
from tests.e2e.account import Portal
from tests.e2e.clockwork import People
from tests.e2e.house import Document, House
from tests.e2e.staging import KEY, PRODUCTION, STAGING, Places, both
from tests.e2e.workers import Worker, running
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e-staging")]

RESPONSE = "deployment-that-broke"
INVOKED = "lambda.POST /2015-03-31/functions/axis-imaging-drill-faults/invocations"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with both(tmp_path_factory.mktemp("places")) as made:
        yield made


@pytest.fixture
def production(places: Places) -> Iterator[Places]:
    """Production as it was before a test; afterwards it is the same, and nothing but an account's name was asked there.

    The wire before it tells whoever comes by, as it does here.
    """
    places.at_production.calls.clear()
    asking = boto3.Session("ANYBODY", "secret", region_name="ap-southeast-2")
    asking.client("s3", endpoint_url=places.at_production.url).list_buckets()
    ((asked, _),) = {(one.operation, one.key) for one in places.at_production.calls}
    assert asked == "s3.GET /"
    places.at_production.calls.clear()
    before = places.of_production()
    yield places
    assert {one.operation for one in places.at_production.calls} <= {"sts.GetCallerIdentity"}
    assert places.of_production() == before


def test_production_hears_nothing_of_a_drill_in_staging(production: Places) -> None:
    """Fault, pages, findings, change, withdrawal: all in staging's account, under its key; statistics are the same."""
    places, house = production, production.staging
    of_production, of_staging = places.named(PRODUCTION), places.named(STAGING)
    portal = Portal(house, "axis-imaging-cluster-staging", "axis-imaging-backend-staging")
    before, deployed, start = house.json("stats")["total"], portal.deployed(), len(places.at_staging.calls)
    with running(Worker(house)) as worker:
        incident = house.json("drill", "start", RESPONSE, "--as", "cto")["incident_id"]
        assert not house.healthy()
        People(house).roll_back(incident)
        score = until(lambda: _over(places, incident), "the drill is scored")
        until(lambda: places.at_staging.count(INVOKED, start) == 2, "the fault is withdrawn")
        until(lambda: _is_done(house), "the drill is over")
        worker.stop()
    assert score["verdict"] == "passed"
    assert house.healthy()
    assert len(portal.deployed()) == len(deployed) + 2
    assert places.at_staging.count("ecs.UpdateService", start) == 1
    sent = house.outbox(incident)
    assert {one["channel"] for one in sent} >= {"sms", "email"}
    assert {part.split()[0] for one in sent for part in (one["subject"], one["body"]) if part} == {"DRILL"}
    assert house.json("stats")["total"] == {**before, "drills": before["drills"] + 1}
    assert places.at_production.calls == []
    assert {one.key for one in places.at_staging.calls[start:]} == {KEY}
    assert (of_staging.sprung, of_production.sprung) == (True, False)


def test_a_worker_with_productions_credentials_drills_nothing(production: Places) -> None:
    """It is refused before production's record is read, or its function of the same name called."""
    reached = {"AWS_ENDPOINT_URL": production.at_production.url, "AWS_ACCESS_KEY_ID": "OFPRODUCTION"}
    reached |= {"AWS_ENDPOINT_URL_KMS": production.at_staging.url}  # or it could read nothing that it is asked
    with running(Worker(production.staging, **reached)):
        refused = production.staging.call("drill", "start", RESPONSE, "--as", "cto")
    said = f"the worker's credentials are of account {PRODUCTION}, but environment staging is account {STAGING}"
    assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
    assert [one.operation for one in production.at_production.calls] == ["sts.GetCallerIdentity"]


def _is_done(house: House) -> bool:
    described = house.asking.run(house.asking.client.get_workflow_handle(drill_workflow_id("staging")).describe())
    return described.status is not WorkflowExecutionStatus.RUNNING


def _over(places: Places, incident: str) -> Document | None:
    score: Document = places.staging.json("drill", "report", incident)
    return score if score["verdict"] != "running" else None
