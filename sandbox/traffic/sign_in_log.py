"""The application's log of sign-ins, roles and reads: JSON lines, with opaque ids for people and studies."""

import json
from datetime import datetime, timedelta
from typing import Any

from sandbox.seed.user_pools import COUNT, sub

Line = tuple[datetime, str]

_USUAL_ADDRESSES = ("203.0.113.130", "203.0.113.141", "192.0.2.44", "192.0.2.61")
"""From documentation networks (RFC 5737), so nobody's."""


def usual(at: datetime) -> list[Line]:
    """One minute of normal use: somebody signs in, every seventh minute on the second try, and reads a study."""
    number = at.minute % COUNT
    address = _USUAL_ADDRESSES[at.minute % len(_USUAL_ADDRESSES)]
    tries = [(at + timedelta(seconds=20), True)]
    if at.minute % 7 == 0:
        tries.insert(0, (at + timedelta(seconds=5), False))
    read = access(at + timedelta(seconds=40), address, sub(number), f"study-{number:04}")
    return [*(sign_in(moment, address, sub(number), success=success) for moment, success in tries), read]


def sign_in(at: datetime, address: str, account: str, *, success: bool, role: str = "patient") -> Line:
    """A sign-in attempt; the application knows the role only after a success."""
    known = {"role": role} if success else {"reason": "password"}
    return _line(at, "AUTHENTICATION", address, account, success=success, **known)


def escalation(at: datetime, address: str, account: str, role: str, *, success: bool) -> Line:
    """A request for another role."""
    return _line(at, "PRIVILEGE_ESCALATION", address, account, success=success, requestedRole=role)


def access(at: datetime, address: str, account: str, study: str) -> Line:
    """A study was read."""
    return _line(at, "DATA_ACCESS", address, account, success=True, operation="read", resourceId=study)


def _line(at: datetime, event: str, address: str, account: str, *, success: bool, **more: Any) -> Line:
    level = "INFO" if success else "WARN"
    fields = {"level": level, "eventType": event, "success": success, "sourceIp": address, "userId": account, **more}
    return at, json.dumps(fields)
