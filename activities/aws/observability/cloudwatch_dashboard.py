"""Tell whether a dashboard of CloudWatch is there for those who follow its link."""

import json
from datetime import datetime

from activities.action import DashboardName, Params, ProbeAction, iam
from activities.aws.shared.error_codes import kind_of_answer
from activities.aws.shared.findings import suspect_if
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.errors import ErrorKind


class DashboardParams(Params):
    dashboard: DashboardName


class Dashboard(ProbeAction[DashboardParams]):
    """Looks a dashboard up and counts the widgets that it can read; their figures are not read.

    One that is missing or empty is unknown, not suspect: nobody is harmed, but the link in every page leads nowhere.
    """

    name = "cloudwatch.dashboard"
    permissions = iam("cloudwatch:GetDashboard")

    def observe(self, scope: Scope, params: DashboardParams, at: datetime) -> Finding:
        dashboard = scope.environment.dashboards[params.dashboard]
        cloudwatch = self.clients.client("cloudwatch")
        widgets: int | None = None
        unread = 0
        told = f"CloudWatch has no dashboard {dashboard}, so its link leads nowhere"
        try:
            body = cloudwatch.get_dashboard(DashboardName=dashboard)["DashboardBody"]
        except cloudwatch.exceptions.ClientError as error:
            if kind_of_answer(error.response, error.operation_name) is not ErrorKind.NOT_FOUND:
                raise
        else:
            widgets, unread = _counted(body)
            told = f"{dashboard} shows {widgets} widgets" if widgets else f"{dashboard} is there and shows nothing"
            told += f"; {unread} cannot be read" if unread else ""
        facts = {"dashboard": dashboard, "widgets": widgets, "unread": unread}
        return suspect_if(False, f"{params.dashboard}: {told}", facts, dashboard, unsure=unread or not widgets)


def _counted(body: str) -> tuple[int, int]:
    """How many widgets a dashboard's body has, and how many things in their place are none."""
    try:
        listed = json.loads(body)["widgets"]
        good = [one for one in listed if isinstance(one, dict) and "type" in one]
    except (ValueError, TypeError, KeyError):
        return 0, 1
    return len(good), len(listed) - len(good)
