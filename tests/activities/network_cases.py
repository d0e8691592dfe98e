"""What the probes of traffic, load balancers, flow logs and the web ACL may be shown that they cannot judge by."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from tests.activities.aws_calls import RecordedAws, balanced
from tests.activities.scopes import ACCOUNT, BACKEND_TARGETS, NOW, REGION, environment, scope
from tests.activities.test_probes_network import flow_log
from tests.activities.test_probes_waf import ACL, GROUP_ARN, line
from tests.activities.unread import Case, Look, ProbeCases

_WHERE = scope(environment=environment(user_pools={"patients": f"{REGION}_Pool00001"}))
_TYPED = "its answers are typed by AWS's API: no field that the probe reads can be of another kind"
_NUMBERS = "CloudWatch gives numbers with their times: there is no record that cannot be read"
_NOW_ALONE = "it asks for the state as it is now, which has no age"
_TRAFFIC = {"load_balancer": "portal", "service": "backend"}
_OWN = "10.0.1.20 10.0.2.40 49152 5432 6 1 40 1795404600 1795404660"


def _answered(answers: dict[str, Any], **params: Any) -> Look:
    """A look that is answered so, by the operation; an error by its code."""
    aws = RecordedAws()
    for operation, answer in answers.items():
        if isinstance(answer, str):
            aws.fail(operation, answer)
        else:
            aws.answer(operation, answer if callable(answer) else partial(_always, answer))
    return Look(aws, params, _WHERE)


def _always(answer: dict[str, Any], _asked: dict[str, Any]) -> dict[str, Any]:
    return answer


def figures(minutes_ago: int = 5, *, partial_data: bool = False, **values: float) -> Callable[[dict[str, Any]], Any]:
    """One point of each metric that is named, by its id or what its id begins with; nothing of the others."""

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        results = []
        for one in asked["MetricDataQueries"]:
            found = next((value for name, value in values.items() if one["Id"].startswith(name)), None)
            points: dict[str, Any] = {"Values": [], "Timestamps": []}
            if found is not None:
                points = {"Values": [found], "Timestamps": [NOW - timedelta(minutes=minutes_ago)]}
            results.append({"Id": one["Id"], "StatusCode": "PartialData" if partial_data else "Complete", **points})
        return {"MetricDataResults": results}

    return answer


def traffic(answer: Any) -> Callable[[], Look]:
    return partial(_answered, {"DescribeServices": balanced(BACKEND_TARGETS), "GetMetricData": answer}, **_TRAFFIC)


def _pool(answer: Any, clients: int = 1, described: Any = None, **more: Any) -> Callable[[], Look]:
    listed = [{"ClientId": f"c{number}", "UserPoolId": f"{REGION}_Pool00001"} for number in range(clients)]
    answers = {
        "DescribeUserPool": described or {"UserPool": {"Id": f"{REGION}_Pool00001"}},
        "ListUserPoolClients": {"UserPoolClients": listed, **more},
        "GetMetricData": answer,
    }
    return partial(_answered, answers, user_pool="patients")


def _flows(*lines: str, logs: list[dict[str, Any]] | None = None, more: bool = False) -> Callable[[], Look]:
    """What a VPC's flow log holds, by the word that is looked for."""

    def found(asked: dict[str, Any]) -> dict[str, Any]:
        events = [{"timestamp": 1, "message": one} for one in lines if asked["filterPattern"] in one]
        return {"events": events, **({"nextToken": "more"} if more and events else {})}

    vpc = {"VpcId": "vpc-0a1b2c3d", "CidrBlockAssociationSet": [{"CidrBlock": "10.0.0.0/16"}]}
    answers = {
        "DescribeFlowLogs": {"FlowLogs": [flow_log()] if logs is None else logs},
        "DescribeVpcs": {"Vpcs": [vpc]},
        "FilterLogEvents": found,
    }
    return partial(_answered, answers, network="main")


def _flow(action: str = "ACCEPT", status: str = "OK") -> str:
    return f"2 {ACCOUNT} eni-0 {_OWN} {action} {status}"


def _requests(*events: Any, more: bool = False, logging: Any = None) -> Callable[[], Look]:
    listed = {"Name": "axis-waf", "Id": "1", "ARN": ACL, "LockToken": "token"}
    kept = {"LoggingConfiguration": {"ResourceArn": ACL, "LogDestinationConfigs": [GROUP_ARN]}}
    answers = {
        "ListWebACLs": {"WebACLs": [listed]},
        "GetLoggingConfiguration": logging or kept,
        "FilterLogEvents": {"events": list(events), **({"nextToken": "more"} if more else {})},
    }
    return partial(_answered, answers, web_acl="portal")


def _targets(*states: str) -> Callable[[], Look]:
    described = [{"Target": {"Id": "10.0.0.1"}, "TargetHealth": {"State": state}} for state in states]
    return _groups({"TargetHealthDescriptions": described})


def _groups(health: Any) -> Callable[[], Look]:
    """What the target group of the backend answers."""
    answers = {"DescribeServices": balanced(BACKEND_TARGETS), "DescribeTargetHealth": health}
    return partial(_answered, answers, service="backend")


_NULL = {"timestamp": 1, "message": '{"timestamp": 1, "action": null, "httpRequest": null}'}
_FLOOD = [line("198.51.100.23", ago=one) for one in range(120)]

PROBE_CASES: ProbeCases = {
    "cloudwatch.response_time": {
        Case.NO_SOURCE: traffic(figures()),
        Case.EMPTY: traffic(figures()),
        Case.UNRECOGNISED: traffic(figures(p50=0.1)),
        Case.OLD: traffic(figures(100, p50=0.1, p95=0.1, p99=0.1)),
        Case.ONE_UNREADABLE: _NUMBERS,
        Case.CUT_OFF: traffic(figures(partial_data=True, p50=0.1, p95=0.1, p99=0.1)),
        Case.TROUBLE_BESIDE_UNREADABLE: _NUMBERS,
        Case.PARTIAL_METRIC: traffic(figures(p50=0.1, p95=0.1, p99=0.1)),
    },
    "cloudwatch.errors_5xx": {
        Case.NO_SOURCE: traffic(figures()),
        Case.EMPTY: traffic(figures()),
        Case.UNRECOGNISED: _NUMBERS,
        Case.OLD: traffic(figures(100, requests=1000, target=450)),
        Case.ONE_UNREADABLE: _NUMBERS,
        Case.CUT_OFF: traffic(figures(partial_data=True, requests=1000)),
        Case.TROUBLE_BESIDE_UNREADABLE: _NUMBERS,
        Case.PARTIAL_METRIC: traffic(figures(requests=1000)),
    },
    "cognito.pool_status": {
        Case.NO_SOURCE: _pool(figures(), described="ResourceNotFoundException"),
        Case.EMPTY: _pool(figures(), clients=0),
        Case.UNRECOGNISED: _pool(figures()),
        Case.OLD: "it asks CloudWatch for the window alone: what lies before it is never answered",
        Case.ONE_UNREADABLE: _NUMBERS,
        Case.CUT_OFF: _pool(figures(good=20, all=20), NextToken="more"),
        Case.TROUBLE_BESIDE_UNREADABLE: _pool(figures(partial_data=True, good=1, all=20)),
        Case.PARTIAL_METRIC: _pool(figures(good=20, all=20)),
    },
    "ec2.flow_logs": {
        Case.NO_SOURCE: partial(_answered, {"DescribeFlowLogs": {"FlowLogs": []}}, network="main"),
        Case.EMPTY: partial(_answered, {"DescribeFlowLogs": {"FlowLogs": []}}, network="main"),
        Case.UNRECOGNISED: partial(
            _answered, {"DescribeFlowLogs": {"FlowLogs": [flow_log(DeliverLogsStatus="FAILED")]}}, network="main"
        ),
        Case.OLD: _NOW_ALONE,
        Case.ONE_UNREADABLE: _TYPED,
        Case.CUT_OFF: "every page is read: an account has few flow logs",
        Case.TROUBLE_BESIDE_UNREADABLE: _TYPED,
    },
    "ec2.flow_traffic": {
        Case.NO_SOURCE: _flows(logs=[]),
        Case.EMPTY: _flows(),
        Case.UNRECOGNISED: _flows(_flow("-", "NODATA"), "REJECT of something else"),
        Case.OLD: "it asks CloudWatch Logs for the window alone: what lies before it is never answered",
        Case.ONE_UNREADABLE: _flows(_flow(), _flow("REJECT"), "REJECT of something else"),
        Case.CUT_OFF: _flows(_flow(), _flow("REJECT"), more=True),
        Case.TROUBLE_BESIDE_UNREADABLE: _flows(*[_flow("REJECT")] * 12, _flow("-", "SKIPDATA")),
    },
    "elbv2.target_health": {
        Case.NO_SOURCE: _groups("TargetGroupNotFound"),
        Case.EMPTY: _targets(),
        Case.UNRECOGNISED: _targets("a state that is new"),
        Case.OLD: _NOW_ALONE,
        Case.ONE_UNREADABLE: _TYPED,
        Case.CUT_OFF: "AWS answers all targets of a group at once (DescribeTargetHealth has no pages)",
        Case.TROUBLE_BESIDE_UNREADABLE: _TYPED,
    },
    "wafv2.requests": {
        Case.NO_SOURCE: _requests(logging="WAFNonexistentItemException"),
        Case.EMPTY: _requests(),
        Case.UNRECOGNISED: _requests(_NULL, {"timestamp": 1, "message": "plain"}),
        Case.OLD: "it asks CloudWatch Logs for the window alone: what lies before it is never answered",
        Case.ONE_UNREADABLE: _requests(line("192.0.2.4"), _NULL),
        Case.CUT_OFF: _requests(line("192.0.2.4"), more=True),
        Case.TROUBLE_BESIDE_UNREADABLE: _requests(*_FLOOD, _NULL),
    },
}
