"""Every check of preflight, in the order in which people read them. One more is a line of one of these tables."""

from typing import Any

from activities.preflight import channels, dry_runs, limits, logs, places, record, roles, waf
from activities.preflight.check import Check

CHECKS: tuple[Check[Any], ...] = (
    *places.CHECKS,
    *waf.CHECKS,
    *record.CHECKS,
    *logs.CHECKS,
    *channels.CHECKS,
    *limits.CHECKS,
    *roles.CHECKS,
)
WRITES, ASSUMED = record.WRITES, dry_runs.ASSUMED
