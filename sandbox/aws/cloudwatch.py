"""Amazon CloudWatch, where moto differs from AWS: percentiles, such as `p95`, in `GetMetricData`."""

import re
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, SupportsFloat

from moto.cloudwatch.models import CloudWatchBackend, Statistics

from sandbox.aws import alarm_mutes
from sandbox.aws.moto_patch import patch

_get_metric_data = CloudWatchBackend.get_metric_data
_get_statistics_for_type = Statistics.get_statistics_for_type
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


def install() -> None:
    """Patch moto with these operations."""
    alarm_mutes.install()
    patch(Statistics, get_statistics_for_type=get_statistics_for_type)
    patch(CloudWatchBackend, get_metric_data=get_metric_data)


def get_statistics_for_type(statistics: Statistics, stat: str) -> SupportsFloat | None:
    """Calculate a statistic of one period; a percentile is interpolated between the single values."""
    values = sorted(statistics.metric_single_values_list)
    found = _PERCENTILE.fullmatch(stat)
    if not found or not values:
        return _get_statistics_for_type(statistics, stat)
    position = float(found[1]) / 100 * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)


def get_metric_data(
    backend: CloudWatchBackend, queries: list[dict[str, Any]], start_time: datetime, end_time: datetime, **more: Any
) -> list[dict[str, Any]]:
    """Read metrics, up to the newest data point at most: moto walks every period of the window, future ones too.

    In each it looks through all data points of the account, so it is shown those of one metric's name at a time. What
    is calculated from other metrics needs them all.
    """
    points = backend.get_all_metrics()
    newest = max((one.timestamp for one in points), default=end_time)
    end = max(min(end_time, newest + timedelta(minutes=1)), start_time + timedelta(seconds=1))
    if any("MetricStat" not in one for one in queries):
        return _get_metric_data(backend, queries, start_time, min(end, end_time), **more)
    named: dict[str, list[Any]] = {}
    for one in points:
        named.setdefault(one.name, []).append(one)
    found: list[dict[str, Any]] = []
    for query in queries:
        of: Any = SimpleNamespace(get_all_metrics=partial(named.get, query["MetricStat"]["Metric"]["MetricName"], []))
        found += _get_metric_data(of, [query], start_time, min(end, end_time), **more)
    return found
