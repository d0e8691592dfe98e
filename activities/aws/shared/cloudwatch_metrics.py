"""CloudWatch metrics of any namespace: several in one question, every page of the answer, in order of time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

Points = list[tuple[datetime, float]]
_FAR = timedelta(days=14)


class Query(NamedTuple):
    """One metric: its namespace, name, dimensions by name, and the statistic of it that is wanted."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str


def read(
    cloudwatch: Any, queries: Mapping[str, Query], window: tuple[datetime, datetime], period_seconds: int
) -> dict[str, Points]:
    """Read metrics over a window, oldest point first (`cloudwatch:GetMetricData`); one without data is empty."""
    ask = {
        "MetricDataQueries": [_query(name, one, period_seconds) for name, one in queries.items()],
        "StartTime": window[0],
        "EndTime": window[1],
    }
    points: dict[str, Points] = {name: [] for name in queries}
    token: dict[str, str] = {}
    while True:
        page = cloudwatch.get_metric_data(**ask, **token)
        for result in page["MetricDataResults"]:
            points[result["Id"]].extend(zip(result["Timestamps"], result["Values"], strict=True))
        if not page.get("NextToken"):
            return {name: sorted(found) for name, found in points.items()}
        token = {"NextToken": page["NextToken"]}


def latest(cloudwatch: Any, queries: Mapping[str, Query], since: datetime) -> dict[str, float]:
    """The newest minute of each metric since an instant; one without data is left out.

    The window ends in the future, so that no clock is needed to ask for what is newest.
    """
    found = read(cloudwatch, queries, (since, since + _FAR), 60)
    return {name: points[-1][1] for name, points in found.items() if points}


def _query(name: str, query: Query, period_seconds: int) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": query.namespace,
                "MetricName": query.name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in query.dimensions.items()],
            },
            "Period": period_seconds,
            "Stat": query.statistic,
        },
    }
