"""Amazon CloudWatch as AWS behaves, where moto does not: percentiles, such as `p95`, in `GetMetricData`."""

import re
from typing import SupportsFloat

from moto.cloudwatch.models import Statistics

from sandbox.aws.teach import teach

_get_statistics_for_type = Statistics.get_statistics_for_type
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


def install() -> None:
    """Put these operations into moto."""
    teach(Statistics, get_statistics_for_type=get_statistics_for_type)


def get_statistics_for_type(statistics: Statistics, stat: str) -> SupportsFloat | None:
    """Calculate a statistic of one period; a percentile is interpolated between the values put in singly."""
    values = sorted(statistics.metric_single_values_list)
    found = _PERCENTILE.fullmatch(stat)
    if not found or not values:
        return _get_statistics_for_type(statistics, stat)
    position = float(found[1]) / 100 * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)
