import json

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from activities.aws.observability.cloudwatch_dashboard import Dashboard, DashboardParams
from domain.model.finding import Finding, FindingStatus
from tests.activities.given import Stubbed, moto
from tests.activities.scopes import NOW, environment, scope

NAME = "portal-production"
SCOPE = scope(environment=environment(dashboards={"primary": NAME}))
PARAMS = DashboardParams(dashboard="primary")


def look(widgets: int) -> Finding:
    with moto() as aws:
        graph = {"type": "text", "x": 0, "y": 0, "width": 6, "height": 2, "properties": {"markdown": "of the portal"}}
        body = json.dumps({"widgets": [graph] * widgets})
        aws.client("cloudwatch").put_dashboard(DashboardName=NAME, DashboardBody=body)
        return Dashboard(aws).observe(SCOPE, PARAMS, NOW)


def test_a_dashboard_that_is_there_is_told_with_its_widgets() -> None:
    """Responders know that the link leads somewhere; what the widgets say is not read."""
    finding = look(widgets=3)
    assert finding.status is FindingStatus.OK
    assert finding.summary == f"primary: {NAME} shows 3 widgets"
    assert finding.evidence == NAME


def test_an_empty_dashboard_helps_nobody() -> None:
    """It is there and shows nothing: unknown."""
    assert look(widgets=0).status is FindingStatus.UNKNOWN


def test_a_dashboard_that_is_missing_is_unknown_and_said() -> None:
    """Nothing is broken by it, but whoever follows the link in a page finds nothing."""
    with moto() as aws:
        finding = Dashboard(aws).observe(SCOPE, PARAMS, NOW)
    assert finding.status is FindingStatus.UNKNOWN
    assert finding.summary == f"primary: CloudWatch has no dashboard {NAME}, so its link leads nowhere"


def test_any_other_answer_is_an_error() -> None:
    """A denial is not taken for a dashboard that is missing."""
    aws = Stubbed("cloudwatch")
    stubber: Stubber = aws.stubber
    stubber.add_client_error("get_dashboard", "AccessDenied")
    with pytest.raises(ClientError):
        Dashboard(aws).observe(SCOPE, PARAMS, NOW)
