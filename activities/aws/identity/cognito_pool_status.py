"""Tell whether people can sign in at a user pool."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction, UserPoolName, iam
from activities.aws.shared.cloudwatch_metrics import Query, read
from activities.aws.shared.findings import suspect_if, unknown
from activities.aws.shared.pages import Pages
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken

_NAMESPACE = "AWS/Cognito"
_PERIOD_SECONDS = 300
_CLIENTS = 60  # a page
_PAGES = 2  # three metrics of each client are asked for, and 500 at most at once (GetMetricData)


class PoolParams(Params):
    """Suspect when fewer than `percent` of the sign-ins succeeded, or Cognito throttled some; unknown below `least`."""

    user_pool: UserPoolName
    window: Duration = Field(default=timedelta(minutes=15), gt=timedelta(0))
    percent: float = Field(default=70, gt=0, le=100)
    least: int = Field(default=5, ge=1)


class PoolStatus(ProbeAction[PoolParams]):
    """Reads a pool's sign-ins and throttles over `window`, all its clients together.

    Cognito counts a failed sign-in as a 0 among the successes. Raises `ResourceNotFoundException`, which is final, for
    a pool that is gone.
    """

    name = "cognito.pool_status"
    permissions = iam("cloudwatch:GetMetricData", "cognito-idp:DescribeUserPool ListUserPoolClients")

    def observe(self, scope: Scope, params: PoolParams, at: datetime) -> Finding:
        pool = scope.environment.user_pools[params.user_pool]
        cognito = self.clients.client("cognito-idp")
        cognito.describe_user_pool(UserPoolId=pool)
        pages = Pages(cognito.list_user_pool_clients, most=_PAGES, UserPoolId=pool, MaxResults=_CLIENTS)
        listed = list(pages.items("UserPoolClients"))
        if not listed:
            return unknown(f"{params.user_pool} has no client that anybody could sign in by", {"clients": 0})
        queries = {
            f"{kind}{number}": Query(_NAMESPACE, name, {"UserPool": pool, "UserPoolClient": one["ClientId"]}, statistic)
            for number, one in enumerate(listed)
            for kind, name, statistic in (
                ("good", "SignInSuccesses", "Sum"),
                ("all", "SignInSuccesses", "SampleCount"),
                ("throttled", "SignInThrottles", "Sum"),
            )
        }
        points, complete = read(self.clients.client("cloudwatch"), queries, (at - params.window, at), _PERIOD_SECONDS)
        good, tries, throttled = (
            int(sum(value for name, found in points.items() if name.startswith(kind) for _, value in found))
            for kind in ("good", "all", "throttled")
        )
        facts: dict[str, Any] = {"user_pool": params.user_pool, "clients": len(listed)}
        facts |= {"sign_ins": tries, "succeeded": good, "throttled": throttled}
        facts["truncated"] = pages.truncated or not complete
        window = f"the last {spoken(params.window)}"
        if not tries and not throttled:
            return unknown(f"{params.user_pool}: Cognito counted no sign-in in {window}", facts)
        few, failing = tries < params.least, 100 * good < params.percent * tries
        summary = f"{params.user_pool}: {good} of {tries} sign-ins succeeded in {window}, {throttled} were throttled"
        summary += "; too few to tell" if few and failing else ""
        summary += "; not all clients and figures were read" if facts["truncated"] else ""
        return suspect_if(throttled or (failing and not few), summary, facts, unsure=facts["truncated"] or failing)
