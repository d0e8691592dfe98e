"""Every check of preflight, in the order in which people read them. One more is a line of one of these tables."""

from typing import Any

from activities.preflight import channels, dns, dry_runs, limits, logs, outside, places, record, roles, samples, waf
from activities.preflight.check import Check

CHECKS: tuple[Check[Any], ...] = (
    *places.CHECKS,
    *waf.CHECKS,
    *dns.CHECKS,
    *record.CHECKS,
    *logs.CHECKS,
    *samples.CHECKS,
    *channels.CHECKS,
    *outside.CHECKS,
    *limits.CHECKS,
    *roles.CHECKS,
)
WRITES, ASSUMED = record.WRITES, dry_runs.ASSUMED
