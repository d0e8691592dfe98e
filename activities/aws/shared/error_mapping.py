"""The one place where errors of AWS, of botocore and of our own rules become the kinds that Temporal knows."""

from datetime import UTC, datetime, timedelta

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.aws.shared.date_header import date_of, off, told
from activities.aws.shared.error_codes import answered, code_of, kind_of_answer
from activities.ledger.store_time import ClockError
from activities.ledger.terms import SupersededError
from authority.aws_iam import StsUnavailableError
from domain.values.errors import FINAL, ErrorKind

_MESSAGE_MAX = 300
_ATTEMPTS = 3
_ELSEWHERE = timedelta(seconds=2)
"""When what a worker's own clock keeps it from is offered again: to this one too, so soon, and not ever later."""
_SCARCE = frozenset({"InsufficientDBInstanceCapacity", "InsufficientDBInstanceCapacityFault"})
_OF_SIGNATURES = frozenset(
    {"InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch"}
)
_SIGNED_WITHIN = timedelta(minutes=4)
"""AWS refuses what was signed five minutes off (IAM user guide, "Troubleshoot Signature Version 4 signing"), S3 what
was signed fifteen minutes off (S3 API, "RequestTimeTooSkewed"). The code may be that of a wrong key."""
_KINDS: tuple[tuple[tuple[type[BaseException], ...], ErrorKind], ...] = (
    ((SupersededError,), ErrorKind.SUPERSEDED),
    ((RuleError,), ErrorKind.REFUSED),
    ((ClockError,), ErrorKind.CLOCK_OFF),
    ((ValidationError, boto.ParamValidationError, boto.NoRegionError), ErrorKind.INVALID_REQUEST),
    ((boto.SSOTokenLoadError, boto.UnauthorizedSSOTokenError), ErrorKind.EXPIRED_CREDENTIALS),
    ((boto.NoCredentialsError, boto.PartialCredentialsError), ErrorKind.ACCESS_DENIED),
    ((boto.ConnectionError, boto.HTTPClientError, ConnectionError, TimeoutError), ErrorKind.TRANSIENT),
    ((StsUnavailableError,), ErrorKind.TRANSIENT),
    ((ResponseParserError, boto.IncompleteReadError, boto.CredentialRetrievalError), ErrorKind.TRANSIENT),
)


def kind_of(error: BaseException) -> ErrorKind:
    """Say what went wrong, by the error's code or type, never by its text."""
    if isinstance(error, boto.ClientError):
        return ErrorKind.CLOCK_OFF if _clock(error) else kind_of_answer(dict(error.response), error.operation_name)
    if isinstance(error, ApplicationError) and error.type in set(ErrorKind):
        return ErrorKind(error.type)
    return next((kind for types, kind in _KINDS if isinstance(error, types)), ErrorKind.UNKNOWN)


def as_application_error(error: BaseException, doing: str, attempt: int = 1) -> ApplicationError:
    """Turn an error into the one that Temporal records; the caller raises it `from None`, lest the error go along.

    `doing` is what was being done, `attempt` the activity's attempt, counted from 1. The type is the kind's value.
    Final kinds are not retried. Expired credentials are retried once, as botocore fetches new ones meanwhile; an
    unlisted code and lacking capacity at most three times. Our own `ApplicationError` is returned as it is.
    The message is one line of at most 300 characters and holds nothing that AWS answered but its code.
    """
    if isinstance(error, ApplicationError):
        return error
    kind = kind_of(error)
    return ApplicationError(
        _one_line(f"{doing}: {said(error)}"),
        type=kind.value,
        non_retryable=_is_final(kind, error, attempt),
        next_retry_delay=_ELSEWHERE if kind is ErrorKind.CLOCK_OFF else None,
    )


def _is_final(kind: ErrorKind, error: BaseException, attempt: int) -> bool:
    if kind is ErrorKind.EXPIRED_CREDENTIALS:
        return attempt > 1
    if kind is ErrorKind.UNKNOWN or code_of(error) in _SCARCE:
        return attempt >= _ATTEMPTS
    return kind in FINAL


def said(error: BaseException) -> str:
    """What an error says that may go on record: of what AWS answered, its code alone."""
    if isinstance(error, boto.ClientError):
        wrong = _clock(error)
        return (
            f"{answered(error)}: this worker's clock is {told(wrong)} AWS's: let NTP set it"
            if wrong
            else answered(error)
        )
    if isinstance(error, RuleError | ClockError | StsUnavailableError):
        return str(error)
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return "; ".join(f"{'.'.join(map(str, one['loc'])) or error.title}: {one['msg']}" for one in found)
    return type(error).__name__


def _clock(error: boto.ClientError) -> timedelta | None:
    """How far our clock is off where that is why AWS refused our signature, by the Date of its answer."""
    now, theirs = datetime.now(UTC), date_of(error.response)  # noqa: TID251 - compared with AWS's, and nothing else
    if theirs is None or code_of(error) not in _OF_SIGNATURES:
        return None
    found = off(theirs, now, now)
    return found if abs(found) > _SIGNED_WITHIN else None


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _MESSAGE_MAX else f"{flat[: _MESSAGE_MAX - 1]}…"
