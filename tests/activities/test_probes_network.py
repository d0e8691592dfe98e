import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from activities.action import RuleError
from activities.aws.network.ec2_flow_logs import FlowLogs, FlowLogsParams
from activities.aws.network.elbv2_target_health import TargetHealth, TargetHealthParams
from domain.model.finding import Finding, FindingStatus
from tests.activities.aws_calls import balanced, recorded_aws
from tests.activities.given import Stubbed, moto
from tests.activities.scopes import BACKEND_TARGETS, NOW, environment, scope

PARAMS = TargetHealthParams(service="backend")
Answer = Callable[[dict[str, Any]], dict[str, Any]]


def targets(*states: str, reason: str | None = None) -> Finding:
    health = [{"State": state} | ({"Reason": reason} if reason and state != "healthy" else {}) for state in states]
    return looked(balanced(BACKEND_TARGETS), {BACKEND_TARGETS: health})


def looked(service: Answer, health: dict[str, list[dict[str, str]]], rule: dict[str, Any] | None = None) -> Finding:
    """Look at a service as ECS tells it, while each target group answers so, and the production rule."""

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        described = [{"Target": {"Id": "10.0.0.1"}, "TargetHealth": one} for one in health[asked["TargetGroupArn"]]]
        return {"TargetHealthDescriptions": described}

    with recorded_aws() as aws:
        aws.answer("DescribeServices", service)
        aws.answer("DescribeTargetHealth", answer)
        aws.answer("DescribeRules", lambda _: {"Rules": [rule]})
        return TargetHealth(aws).observe(scope(), PARAMS, NOW)


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (["healthy", "healthy"], FindingStatus.OK),
        (["healthy", "initial"], FindingStatus.OK),
        (["healthy", "draining"], FindingStatus.OK),
        (["healthy", "unhealthy"], FindingStatus.SUSPECT),
        (["healthy", "unhealthy.draining"], FindingStatus.SUSPECT),
        (["initial", "initial"], FindingStatus.SUSPECT),
        (["draining"], FindingStatus.SUSPECT),
        (["unused"], FindingStatus.SUSPECT),
        ([], FindingStatus.SUSPECT),
        (["unavailable", "unavailable"], FindingStatus.UNKNOWN),
    ],
)
def test_targets_are_judged_by_their_states(states: list[str], status: FindingStatus) -> None:
    """A failing target, or none healthy, is suspect; targets on their way in or out beside a healthy one are not."""
    assert targets(*states).status is status


def test_the_summary_counts_targets_and_says_why() -> None:
    """A responder reads how many are healthy and which reasons the load balancer gives; no address leaves the probe."""
    finding = targets("healthy", "unhealthy", "unhealthy", reason="Target.ResponseCodeMismatch")
    assert finding.summary == "backend: 1 of 3 targets healthy; 2 unhealthy (Target.ResponseCodeMismatch)"
    assert finding.facts["reasons"] == {"Target.ResponseCodeMismatch": 2}
    assert "10.0.0." not in finding.model_dump_json()


def forwarding(**weights: int) -> dict[str, Any]:
    groups = [{"TargetGroupArn": group, "Weight": weight} for group, weight in weights.items()]
    return {"Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]}


@pytest.mark.parametrize(
    ("blue", "green", "status"),
    [(100, 0, FindingStatus.OK), (0, 100, FindingStatus.SUSPECT), (90, 10, FindingStatus.SUSPECT)],
)
def test_the_group_that_has_the_traffic_is_looked_at(blue: int, green: int, status: FindingStatus) -> None:
    """Under blue/green the environment's group may be idle and well, while nobody is served."""
    rule = "arn:aws:elasticloadbalancing:ap-southeast-2:123456789012:listener-rule/app/axis-portal/1/2/3"
    advanced = {"alternateTargetGroupArn": "green", "productionListenerRule": rule}
    service = balanced(loadBalancers=[{"targetGroupArn": BACKEND_TARGETS, "advancedConfiguration": advanced}])
    health = {BACKEND_TARGETS: [{"State": "healthy"}], "green": [{"State": "unused"}]}
    assert looked(service, health, forwarding(**{BACKEND_TARGETS: blue, "green": green})).status is status


def test_under_codedeploy_the_primary_task_set_has_the_traffic() -> None:
    """The service still names the group that it was made with."""
    sets = [
        {"status": "ACTIVE", "loadBalancers": [{"targetGroupArn": BACKEND_TARGETS}]},
        {"status": "PRIMARY", "loadBalancers": [{"targetGroupArn": "green"}]},
    ]
    health = {BACKEND_TARGETS: [{"State": "healthy"}], "green": [{"State": "unhealthy"}]}
    finding = looked(balanced(BACKEND_TARGETS, taskSets=sets), health)
    assert (finding.status, finding.evidence) == (FindingStatus.SUSPECT, "green")


def test_where_ecs_names_no_group_it_is_the_environments() -> None:
    """The load balancer may be wired by other hands than ECS's."""
    assert looked(balanced(), {BACKEND_TARGETS: [{"State": "healthy"}]}).status is FindingStatus.OK


def test_a_service_or_a_group_that_is_gone_is_an_error() -> None:
    """Neither is a finding."""
    with recorded_aws() as aws:
        aws.answer("DescribeServices", balanced(BACKEND_TARGETS))
        with pytest.raises(ClientError, match="TargetGroupNotFound"):
            TargetHealth(aws).observe(scope(), PARAMS, NOW)
        aws.answer("DescribeServices", balanced(BACKEND_TARGETS, status="INACTIVE"))
        with pytest.raises(RuleError, match="has no active service"):
            TargetHealth(aws).observe(scope(), PARAMS, NOW)


def flow_log(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "FlowLogId": "fl-1",
        "FlowLogStatus": "ACTIVE",
        "DeliverLogsStatus": "SUCCESS",
        "TrafficType": "ALL",
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": "/vpc/flow",
        "ResourceId": "vpc-0a1b2c3d",
        "CreationTime": datetime(2026, 1, 2, tzinfo=UTC),
    }
    return fields | changes


def flow_logs(*pages: list[dict[str, Any]]) -> Finding:
    aws = Stubbed("ec2")
    asked: dict[str, Any] = {"Filters": [{"Name": "resource-id", "Values": ["vpc-0a1b2c3d"]}]}
    for number, page in enumerate(pages):
        more = {"NextToken": str(number)} if number < len(pages) - 1 else {}
        before = {"NextToken": str(number - 1)} if number else {}
        aws.answer("describe_flow_logs", {"FlowLogs": page} | more, asked | before)
    finding = FlowLogs(aws).observe(scope(), FlowLogsParams(network="main"), NOW)
    aws.all_asked()
    return finding


def test_flow_logs_are_listed_with_where_they_go() -> None:
    """The finding leads to the traffic: where it is kept and since when; it survives being written as JSON."""
    finding = flow_logs([flow_log()])
    assert finding.status is FindingStatus.OK
    assert finding.summary == (
        "main (vpc-0a1b2c3d): ALL traffic goes to cloud-watch-logs /vpc/flow since 2026-01-02T00:00:00Z"
    )
    assert finding.evidence == "/vpc/flow"
    assert json.loads(json.dumps(finding.facts))["flow_logs"][0]["id"] == "fl-1"


def test_flow_logs_of_later_pages_count() -> None:
    """An active flow log on the second page is found."""
    finding = flow_logs([flow_log(DeliverLogsStatus="FAILED")], [flow_log(FlowLogId="fl-2")])
    assert finding.status is FindingStatus.OK
    assert finding.summary.endswith("1 more do not deliver")


@pytest.mark.parametrize("found", [[], [flow_log(DeliverLogsStatus="FAILED")]])
def test_a_network_without_delivering_flow_logs_is_suspect(found: list[dict[str, Any]]) -> None:
    """Where nothing is recorded, nobody can look up afterwards what went out."""
    assert flow_logs(found).status is FindingStatus.SUSPECT


def test_flow_logs_of_a_real_network_are_found() -> None:
    """The filter that the probe sends is one that EC2 knows, and other networks' flow logs are left out."""
    with moto() as aws:
        ec2 = aws.client("ec2")
        mine, other = (ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _ in range(2))
        aws.client("s3").create_bucket(
            Bucket="flows", CreateBucketConfiguration={"LocationConstraint": "ap-southeast-2"}
        )
        for vpc in (mine, other):
            made = ec2.create_flow_logs(
                ResourceIds=[vpc],
                ResourceType="VPC",
                TrafficType="REJECT",
                LogDestinationType="s3",
                LogDestination="arn:aws:s3:::flows",
            )
            assert not made["Unsuccessful"]
        here = scope(environment=environment(networks={"main": {"vpc_id": mine}}))
        finding = FlowLogs(aws).observe(here, FlowLogsParams(network="main"), NOW)
        assert [log["destination"] for log in finding.facts["flow_logs"]] == ["arn:aws:s3:::flows"]
        assert finding.facts["flow_logs"][0]["traffic"] == "REJECT"
