"""The leaf errors of activities, by the names that Temporal's retry policies and the timeline know."""

from enum import StrEnum


class ErrorKind(StrEnum):
    """What went wrong outside, by what to do about it. The value is the `ApplicationError` type."""

    TRANSIENT = "Transient"  # throttled, timed out, 5xx: retried
    WRONG_STATE = "WrongState"  # the resource is busy becoming something: waited for, bounded
    CONFLICT = "Conflict"  # somebody else wrote in between: read again, retried
    CLOCK_OFF = "ClockOff"  # the worker's clock is wrong: another worker may take it, or this one once it is set
    BUSY = "ResourceBusy"  # another change holds the lock: waited for
    NOT_YET = "NotYet"  # the world is not `after` yet: looked at again
    ACCESS_DENIED = "AccessDenied"
    EXPIRED_CREDENTIALS = "ExpiredCredentials"
    NOT_FOUND = "NotFound"
    INVALID_REQUEST = "InvalidRequest"
    QUOTA_EXCEEDED = "QuotaExceeded"
    REFUSED = "Refused"  # a rule of ours forbids it
    SUPERSEDED = "Superseded"  # another life of the incident goes on: this one ends
    UNSEALED = "Unsealed"  # somebody else answered in the hands' place: asked for again
    VERIFICATION_FAILED = "VerificationFailed"
    UNKNOWN = "UnknownError"  # an unlisted code: retried three times, then final


FINAL = frozenset(
    {
        ErrorKind.ACCESS_DENIED,
        ErrorKind.EXPIRED_CREDENTIALS,
        ErrorKind.NOT_FOUND,
        ErrorKind.INVALID_REQUEST,
        ErrorKind.QUOTA_EXCEEDED,
        ErrorKind.REFUSED,
        ErrorKind.SUPERSEDED,
        ErrorKind.VERIFICATION_FAILED,
    }
)
"""Retrying these cannot help."""

ASK_AGAIN = "this came with news that no workflow task has started yet; ask again"
"""What a query is refused with while its worker cannot tell how the incident stands."""
