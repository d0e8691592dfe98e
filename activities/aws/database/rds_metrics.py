"""What CloudWatch knows of a database instance: several metrics in one question, every page of the answer."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

_FAR = timedelta(days=14)
"""How long minute by minute data is kept for a look at the newest (CloudWatch keeps it 15 days)."""

Points = list[tuple[datetime, float]]


class Metric(NamedTuple):
    """A metric of `AWS/RDS` and the statistic of it that is wanted."""

    name: str
    statistic: str


def read(
    cloudwatch: Any, identifier: str, metrics: Mapping[str, Metric], window: tuple[datetime, datetime], period: int
) -> tuple[dict[str, Points], bool]:
    """Read `metrics` of an instance over a window, in periods of so many seconds (`cloudwatch:GetMetricData`).

    Points come unsorted. Tells also whether CloudWatch calls the last page of each complete.
    """
    points: dict[str, Points] = {name: [] for name in metrics}
    complete = dict.fromkeys(metrics, True)
    for page in _pages(cloudwatch, _ask(identifier, metrics, window, period)):
        for result in page["MetricDataResults"]:
            points[result["Id"]].extend(zip(result["Timestamps"], result["Values"], strict=True))
            complete[result["Id"]] = result.get("StatusCode", "Complete") == "Complete"
    return points, all(complete.values())


def newest(
    cloudwatch: Any, identifier: str, metrics: Mapping[str, Metric], since: datetime
) -> dict[str, tuple[datetime, float]]:
    """The newest minute of each metric since an instant; one without any is left out.

    The window ends in the future, so that no clock is needed to ask for what is newest.
    """
    found: dict[str, tuple[datetime, float]] = {}
    ask = _ask(identifier, metrics, (since, since + _FAR), 60)
    for page in _pages(cloudwatch, {**ask, "ScanBy": "TimestampDescending"}):
        for result in page["MetricDataResults"]:
            points = [*zip(result["Timestamps"], result["Values"], strict=True)]
            if points:
                found.setdefault(result["Id"], max(points))
        if len(found) == len(metrics):
            break
    return found


def _ask(
    identifier: str, metrics: Mapping[str, Metric], window: tuple[datetime, datetime], period: int
) -> dict[str, Any]:
    return {
        "MetricDataQueries": [_query(name, one, identifier, period) for name, one in metrics.items()],
        "StartTime": window[0],
        "EndTime": window[1],
    }


def _pages(cloudwatch: Any, ask: dict[str, Any]) -> Iterator[dict[str, Any]]:
    page = cloudwatch.get_metric_data(**ask)
    yield page
    while page.get("NextToken"):
        page = cloudwatch.get_metric_data(**ask, NextToken=page["NextToken"])
        yield page


def _query(name: str, metric: Metric, identifier: str, period: int) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/RDS",
                "MetricName": metric.name,
                "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": identifier}],
            },
            "Period": period,
            "Stat": metric.statistic,
        },
    }
