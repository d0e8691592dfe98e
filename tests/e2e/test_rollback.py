"""The straight path: a fault, an incident, an approval by anybody's means, and the portal is well again."""

import pytest

from domain.values.words import in_words
from tests.e2e.account import BACKEND, Portal, snapshot
from tests.e2e.house import House
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_approval_by_the_plain_temporal_command_rolls_back_and_touches_nothing_else(
    house: House, worker: Worker
) -> None:
    """An approval signalled by `temporal workflow signal` brings back what last ran well; all else is as it was."""
    portal = Portal(house)
    fault = portal.break_()
    before, deployed = snapshot(house, BACKEND), portal.deployed()
    incident = house.start("Portal answers 503")
    house.run("ack", incident)
    plan = house.json("change", incident, "rollback")["plan"]
    assert plan["before"] == {"task_definition": fault.bad}
    assert plan["after"] == {"task_definition": fault.good}
    _is_told_in_words(house, incident, plan["digest"])
    house.signal(f"{incident}/rollback/1", "approve", by="technical-manager", digest=plan["digest"], comment="go")
    change = house.change(incident, "applied")
    assert [(vote["by"], vote["decision"]) for vote in change["approvals"]] == [("technical-manager", "approve")]

    service = portal.service()
    assert service["taskDefinition"] == fault.good
    assert [one["rolloutState"] for one in service["deployments"]] == ["COMPLETED"]
    assert service["runningCount"] == service["desiredCount"] == 3
    group = service["loadBalancers"][0]["targetGroupArn"]
    targets = house.aws("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert [one["TargetHealth"]["State"] for one in targets] == ["healthy"] * 3
    until(house.healthy, "the portal answers")
    assert portal.deployed() == [*deployed, fault.good]
    assert fault.never not in portal.deployed()
    assert snapshot(house, BACKEND) == before


def _is_told_in_words(house: House, incident: str, digest: str) -> None:
    """Page, terminal and report each make the same words of the plan that they have read."""
    words = f"Words: {in_words(digest)}"

    def asked() -> list[str]:
        return [one["body"] for one in house.outbox(incident) if "approval needed" in one["subject"] + one["body"]]

    pages = until(asked, "somebody is asked to approve")
    assert [page[-len(words) :] for page in pages] == [words] * len(pages)
    (change,) = house.json("show", incident)["changes"]
    assert f"Words: {change['plan']['words']}" == words
    until(lambda: words in house.run("report", incident), "the report tells them")


def test_second_bad_deployment_is_rolled_back_like_the_first(house: House, worker: Worker) -> None:
    """After a rollback another bad deployment is an incident like any other: the plan goes back to what ran well."""
    portal = Portal(house)
    fault = portal.break_()
    incident = house.start("Portal answers 503")
    digest = house.json("change", incident, "rollback")["plan"]["digest"]
    house.run("approve", incident, "rollback", "--digest", digest, "--as", "technical-manager")
    house.change(incident, "applied")
    assert house.healthy()
    again = portal.break_()
    assert again.good == fault.good
    plan = house.json("change", house.start("Portal answers 503 again"), "rollback")["plan"]
    assert (plan["before"], plan["after"]) == ({"task_definition": again.bad}, {"task_definition": fault.good})


def test_wrong_approvals_change_nothing(house: House, worker: Worker) -> None:
    """Who asked, who may not decide, and who read another plan are refused, on record; nothing is deployed."""
    portal = Portal(house)
    portal.break_()
    deployed = portal.deployed()
    incident = house.start("Portal answers 503, and hands are too quick")
    digest = house.json("change", incident, "rollback")["plan"]["digest"]
    workflow = f"{incident}/rollback/1"
    house.signal(workflow, "approve", by="devops-lead", digest=digest)
    house.signal(workflow, "approve", by="security-lead", digest=digest)
    house.signal(workflow, "approve", by="technical-manager", digest="0" * 64)
    house.signal(workflow, "approve", nonsense=True)

    def refused() -> list[str]:
        entries = house.asking.query(incident, "timeline") or []
        return [one["text"] for one in entries if one["kind"] == "refused"]

    until(lambda: len(refused()) == 4, "four refusals are on record")
    requested, role, other_plan, unreadable = refused()
    assert "requested this change" in requested
    assert "may not decide" in role
    assert "digest" in other_plan
    assert "by: Field required" in unreadable
    assert house.change(incident, "awaiting-approval")["approvals"] == []
    assert portal.deployed() == deployed
