"""CloudWatch metrics of any namespace: several in one question, every page of the answer, in order of time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from activities.aws.shared.pages import Pages

Points = list[tuple[datetime, float]]
_FAR = timedelta(days=14)
"""How far back the newest minute is looked for; CloudWatch keeps minutes for 15 days."""


class Query(NamedTuple):
    """One metric: its namespace, name, dimensions by name, and the statistic of it that is wanted."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str


def of_instance(identifier: str, metrics: Mapping[str, tuple[str, str]]) -> dict[str, Query]:
    """Queries for metrics of a database instance, each given by its name and statistic."""
    dimensions = {"DBInstanceIdentifier": identifier}
    return {key: Query("AWS/RDS", name, dimensions, statistic) for key, (name, statistic) in metrics.items()}


def read(
    cloudwatch: Any, queries: Mapping[str, Query], window: tuple[datetime, datetime], period_seconds: int
) -> tuple[dict[str, Points], bool]:
    """Read metrics over a window, oldest point first (`cloudwatch:GetMetricData`); one without data is empty.

    Also tells whether CloudWatch calls the last page of each complete.
    """
    points: dict[str, Points] = {name: [] for name in queries}
    complete = dict.fromkeys(queries, True)
    asked = [_query(name, one, period_seconds) for name, one in queries.items()]
    pages = Pages(cloudwatch.get_metric_data, MetricDataQueries=asked, StartTime=window[0], EndTime=window[1])
    for result in pages.items("MetricDataResults"):
        points[result["Id"]].extend(zip(result["Timestamps"], result["Values"], strict=True))
        complete[result["Id"]] = result.get("StatusCode", "Complete") == "Complete"
    return {name: sorted(found) for name, found in points.items()}, all(complete.values())


def newest(cloudwatch: Any, queries: Mapping[str, Query], since: datetime) -> dict[str, tuple[datetime, float]]:
    """The newest minute of each metric since an instant, and when it was; one without data is left out.

    All are left out where CloudWatch gave only a part, of which the newest minute need not be the newest. The window
    ends in the future, so that no clock is needed to ask for what is newest.
    """
    points, complete = read(cloudwatch, queries, (since, since + _FAR), 60)
    return {name: found[-1] for name, found in points.items() if found and complete}


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
