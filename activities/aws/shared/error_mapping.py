"""The one place where errors of AWS, of botocore and of our own rules become the kinds that Temporal knows."""

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.aws.shared.error_codes import answered, code_of, kind_of_answer
from activities.ledger.terms import SupersededError
from domain.values.errors import FINAL, ErrorKind

_MESSAGE_MAX = 300
_ATTEMPTS = 3
_SCARCE = frozenset({"InsufficientDBInstanceCapacity", "InsufficientDBInstanceCapacityFault"})
_KINDS: tuple[tuple[tuple[type[BaseException], ...], ErrorKind], ...] = (
    ((SupersededError,), ErrorKind.SUPERSEDED),
    ((RuleError,), ErrorKind.REFUSED),
    ((ValidationError, boto.ParamValidationError, boto.NoRegionError), ErrorKind.INVALID_REQUEST),
    ((boto.SSOTokenLoadError, boto.UnauthorizedSSOTokenError), ErrorKind.EXPIRED_CREDENTIALS),
    ((boto.NoCredentialsError, boto.PartialCredentialsError), ErrorKind.ACCESS_DENIED),
    ((boto.ConnectionError, boto.HTTPClientError, ConnectionError, TimeoutError), ErrorKind.TRANSIENT),
    ((ResponseParserError, boto.IncompleteReadError, boto.CredentialRetrievalError), ErrorKind.TRANSIENT),
)


def kind_of(error: BaseException) -> ErrorKind:
    """Say what went wrong, by the error's code or type, never by its text."""
    if isinstance(error, boto.ClientError):
        return kind_of_answer(dict(error.response), error.operation_name)
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
        _one_line(f"{doing}: {said(error)}"), type=kind.value, non_retryable=_is_final(kind, error, attempt)
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
        return answered(error)
    if isinstance(error, RuleError):
        return str(error)
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return "; ".join(f"{'.'.join(map(str, one['loc'])) or error.title}: {one['msg']}" for one in found)
    return type(error).__name__


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _MESSAGE_MAX else f"{flat[: _MESSAGE_MAX - 1]}…"
