"""What a failed activity says about itself."""

from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from domain.values.errors import ErrorKind


def _root(error: BaseException) -> BaseException:
    """The cause that tells most: an application error behind any timeouts and activity errors."""
    best: BaseException = error
    while error.__cause__ is not None:
        error = error.__cause__
        if isinstance(error, ApplicationError | TemporalTimeoutError):
            best = error
        if isinstance(error, ApplicationError):
            return error
    return best


def reason(error: ActivityError | ApplicationError) -> str:
    """One line for a person: the kind of error and what was being done."""
    root = _root(error)
    if isinstance(root, ApplicationError):
        return f"{root.type}: {root.message}"
    if isinstance(root, TemporalTimeoutError):
        return f"no answer in time ({root.type.name.lower().replace('_', ' ') if root.type else 'timeout'})"
    return str(root)


def is_denied(error: ActivityError) -> bool:
    """Whether AWS denied us access."""
    return _is(error, ErrorKind.ACCESS_DENIED)


def is_trouble(error: ActivityError) -> bool:
    """Whether AWS's trouble, which passes, was all that was heard at the end."""
    return _is(error, ErrorKind.TRANSIENT)


def is_unsealed(error: ActivityError) -> bool:
    """Whether somebody else failed it in the hands' place."""
    return _is(error, ErrorKind.UNSEALED)


def is_out_of_time(error: ActivityError) -> bool:
    """Whether all the time for it was over, whatever its attempts said."""
    cause = error.__cause__
    return isinstance(cause, TemporalTimeoutError) and cause.type is TimeoutType.SCHEDULE_TO_CLOSE


def is_superseded(error: ActivityError) -> bool:
    """Whether another life of the incident goes on under a later term, or has ended it."""
    return _is(error, ErrorKind.SUPERSEDED)


def superseded() -> ApplicationError:
    """What a life of an incident ends with once another one goes on, or has ended it."""
    return _final("the incident goes on under a later term, or has ended in another life", ErrorKind.SUPERSEDED)


def refused(why: str) -> ApplicationError:
    """That a rule of ours forbids what was asked."""
    return _final(why, ErrorKind.REFUSED)


def _final(text: str, kind: ErrorKind) -> ApplicationError:
    return ApplicationError(text, type=kind.value, non_retryable=True)


def _is(error: ActivityError, kind: ErrorKind) -> bool:
    root = _root(error)
    return isinstance(root, ApplicationError) and root.type == kind.value
