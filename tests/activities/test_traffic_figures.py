"""Figures of a load balancer: where nothing is counted nothing is reported, so the last ones that exist may be old."""

from typing import Any

import pytest
from moto import mock_aws

from activities.aws.network.cloudwatch_traffic import ErrorRate, ErrorRateParams, ResponseTime, ResponseTimeParams
from domain.model.finding import Finding, FindingStatus
from tests.activities.aws_calls import balanced, recorded_aws
from tests.activities.network_cases import figures, traffic
from tests.activities.scopes import BACKEND_TARGETS, NOW, scope

PLACE = {"load_balancer": "portal", "service": "backend"}


def failing(minutes_ago: int = 5, **values: Any) -> Finding:
    with mock_aws():
        look = traffic(figures(minutes_ago, **values))()
        return ErrorRate(look.clients).observe(scope(), ErrorRateParams.model_validate(PLACE), NOW)


def test_a_burst_that_is_over_is_not_failing_now() -> None:
    """The last points that CloudWatch has are of 100 minutes ago: nothing is known of now."""
    finding = failing(100, requests=100, target=45)
    assert finding.status is FindingStatus.UNKNOWN
    assert (finding.facts["target"], finding.facts["requests"]) == (0, 0)


def test_no_point_of_a_count_is_a_count_of_zero() -> None:
    """Requests, and nothing of failures: none failed."""
    finding = failing(requests=100)
    assert (finding.status, finding.facts["percent"]) == (FindingStatus.OK, 0)


def test_what_no_target_was_chosen_for_counts() -> None:
    """Without a healthy target there are no requests of targets: the load balancer's own answers are the failures."""
    finding = failing(balancer=30)
    assert (finding.status, finding.facts["percent"]) == (FindingStatus.SUSPECT, 100)


@pytest.mark.parametrize(("minutes_ago", "status"), [(5, FindingStatus.SUSPECT), (100, FindingStatus.UNKNOWN)])
def test_slow_answers_of_long_ago_are_not_slow_now(minutes_ago: int, status: FindingStatus) -> None:
    """Nor is a service fast that nobody has asked since."""
    with mock_aws():
        look = traffic(figures(minutes_ago, p50=1.0, p95=9.0, p99=9.0))()
        finding = ResponseTime(look.clients).observe(scope(), ResponseTimeParams.model_validate(PLACE), NOW)
    assert finding.status is status


def test_figures_of_both_groups_count_while_traffic_shifts() -> None:
    """Under blue/green both target groups are asked for: their counts are added."""
    with recorded_aws() as aws:
        aws.answer("DescribeServices", balanced(BACKEND_TARGETS, "a:targetgroup/green/1"))
        aws.answer("GetMetricData", figures(requests=100, target=1))
        finding = ErrorRate(aws).observe(scope(), ErrorRateParams.model_validate(PLACE), NOW)
        asked = aws.sent("GetMetricData")
    assert (finding.facts["requests"], finding.facts["target"]) == (200, 2)
    assert "targetgroup/green/1" in str(asked)
