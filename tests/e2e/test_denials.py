"""AWS says no: the incident goes on, says so in a line, and in a P0 tells people that its hands are tied."""

import pytest

from tests.e2e.account import PROBES, Portal
from tests.e2e.house import Document, House
from tests.e2e.wire import Wire
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

ON_ECS = {"ecs-services", "recent-deployments", "target-health", "error-rate"}
"""Which of its target groups has the traffic, ECS alone knows."""
LEADS = {"devops-lead", "development-lead", "security-lead", "technical-manager"}


def tied(house: House, incident: str) -> list[str]:
    """Who was paged because access is denied."""
    return [one["to"] for one in house.state(incident)["pages"] if "denies" in one["reason"]]


def unknown(found: dict[str, Document]) -> dict[str, str]:
    """Why each finding that tells nothing tells nothing."""
    return {step: finding["summary"] for step, finding in found.items() if finding["status"] == "unknown"}


def test_access_denied_is_a_finding_and_in_p0_a_page(house: House, aws: Wire, worker: Worker) -> None:
    """Denied probes are `unknown` in one clear line, the others answer, and everybody on call is paged once."""
    with aws.denying("ecs.", "AccessDeniedException"):
        incident = house.start("AWS denies us ECS")
        found = house.findings(incident, PROBES)
    assert unknown(found).keys() == ON_ECS, unknown(found)
    assert found["ecs-services"]["summary"] == (
        "AccessDenied: ecs.services.observe: AWS answered AccessDeniedException to DescribeServices"
    )
    assert sorted(tied(house, incident)) == sorted(LEADS)

    def delivered() -> list[str]:
        return [one["role"] for one in house.outbox(incident) if "denies the automation" in one["subject"]]

    until(lambda: sorted(delivered()) == sorted(LEADS), "those pages are delivered")
    assert house.show(incident)["status"] == "declared"


def test_expired_token_is_a_finding(house: House, aws: Wire, worker: Worker) -> None:
    """An expired token is told by that name once fresh credentials were tried; it is no denial, and pages nobody."""
    calls = len(aws.calls)
    with aws.denying("ecs.", "ExpiredTokenException"):
        incident = house.start("The token is expired")
        found = house.findings(incident, PROBES)
    assert unknown(found).keys() == ON_ECS, unknown(found)
    assert found["ecs-services"]["summary"] == (
        "ExpiredCredentials: ecs.services.observe: AWS answered ExpiredTokenException to DescribeServices"
    )
    assert tied(house, incident) == []
    assert aws.count("ecs.DescribeServices", calls) == 0


def test_denied_change_fails_and_can_be_asked_for_again(house: House, aws: Wire, worker: Worker) -> None:
    """A denied `UpdateService` fails the change with its reason, deploys nothing, and frees the lock for the next."""
    portal = Portal(house)
    fault, deployed = portal.break_(), portal.deployed()
    incident = house.start("AWS denies us the rollback")
    house.findings(incident, PROBES)
    digest = house.json("change", incident, "rollback")["plan"]["digest"]
    with aws.denying("ecs.UpdateService", "AccessDeniedException"):
        house.run("approve", incident, "rollback", "--digest", digest, "--as", "technical-manager")
        failed = house.change(incident, "failed")
    assert failed["reason"].endswith("AWS answered AccessDeniedException to UpdateService")
    assert sorted(tied(house, incident)) == sorted(LEADS)
    assert portal.deployed() == deployed
    digest = house.json("change", incident, "rollback")["plan"]["digest"]
    house.run("approve", incident, "rollback", "--digest", digest, "--as", "technical-manager")
    house.change(incident, "applied", number=2)
    assert portal.deployed() == [*deployed, fault.good]
