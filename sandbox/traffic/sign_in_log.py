"""What the application logs of sign-ins, rights and reads: JSON lines, people and studies as opaque ids."""

import json
from datetime import datetime, timedelta
from typing import Any

from sandbox.seed.user_pools import COUNT, sub

Line = tuple[datetime, str]

_AT_HOME = ("203.0.113.130", "203.0.113.141", "192.0.2.44", "192.0.2.61")
"""Addresses of documentation networks (RFC 5737): nobody's."""


def usual(at: datetime) -> list[Line]:
    """One minute of ordinary use: somebody signs in, now and then at the second try."""
    number = at.minute % COUNT
    address = _AT_HOME[at.minute % len(_AT_HOME)]
    tries = [(at + timedelta(seconds=20), True)]
    if at.minute % 7 == 0:
        tries.insert(0, (at + timedelta(seconds=5), False))
    return [sign_in(moment, address, sub(number), success=success) for moment, success in tries]


def sign_in(at: datetime, address: str, account: str, *, success: bool, role: str = "patient") -> Line:
    """Somebody tried to sign in; the application knows the role of who succeeded alone."""
    known = {"role": role} if success else {"reason": "password"}
    return _line(at, "AUTHENTICATION", address, account, success=success, **known)


def escalation(at: datetime, address: str, account: str, role: str, *, success: bool) -> Line:
    """Somebody asked for another role."""
    return _line(at, "PRIVILEGE_ESCALATION", address, account, success=success, requestedRole=role)


def access(at: datetime, address: str, account: str, study: str) -> Line:
    """Somebody read a study."""
    return _line(at, "DATA_ACCESS", address, account, success=True, operation="read", resourceId=study)


def _line(at: datetime, event: str, address: str, account: str, *, success: bool, **more: Any) -> Line:
    level = "INFO" if success else "WARN"
    told = {"level": level, "eventType": event, "success": success, "sourceIp": address, "userId": account, **more}
    return at, json.dumps(told)
