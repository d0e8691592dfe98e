"""Every check of preflight, in the order in which people read them. One more is a line of one of these tables."""

from typing import Any

from activities.preflight import (
    alarms,
    dns,
    dry_runs,
    limits,
    logs,
    mail,
    outside,
    places,
    record,
    recovery,
    roles,
    telephones,
    waf,
)
from activities.preflight.check import Check

CHECKS: tuple[Check[Any], ...] = (
    *places.CHECKS,
    *alarms.CHECKS,
    *waf.CHECKS,
    *dns.CHECKS,
    *record.CHECKS,
    *logs.CHECKS,
    *telephones.CHECKS,
    *mail.CHECKS,
    *outside.CHECKS,
    *recovery.CHECKS,
    *limits.CHECKS,
    *roles.CHECKS,
)
WRITES, ASSUMED = record.WRITES, dry_runs.ASSUMED
