import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from pydantic import Field, ValidationError
from temporalio.exceptions import ApplicationError

from activities.action import Params, RuleError
from activities.aws.shared.error_codes import ALREADY, is_already
from activities.aws.shared.error_mapping import as_application_error, kind_of
from domain.values.errors import FINAL, ErrorKind
from tests.activities.wire_codes import codes_of, operations

TABLE = {
    ErrorKind.TRANSIENT: """
        Throttling ThrottlingException ThrottledException Throttled RequestThrottledException TooManyRequestsException
        ProvisionedThroughputExceededException TransactionInProgressException RequestLimitExceeded
        BandwidthLimitExceeded RequestThrottled SlowDown EC2ThrottledException InternalError InternalFailure
        InternalServerError InternalServerException InternalServiceError InternalServiceException InternalServiceFault
        ServerException
        ServiceUnavailable ServiceUnavailableException RequestTimeout RequestTimeoutException
        WAFInternalErrorException WAFUnavailableEntityException HealthUnavailable ConditionalRequestConflict
        KMS.ThrottlingException
        OperationAborted OperationAbortedException DependencyTimeoutException KMSInternalException
    """,
    ErrorKind.WRONG_STATE: """
        InvalidDBInstanceState InvalidDBInstanceStateFault DBInstanceNotReady InvalidDBSnapshotState
        InvalidDBClusterStateFault ConcurrentSnapshotLimitExceeded
        InsufficientDBInstanceCapacity ResourceInUse ResourceInUseException RequestInProgressException
        KMSInvalidStateException PriorRequestNotComplete
    """,
    ErrorKind.CONFLICT: """
        WAFOptimisticLockException ConcurrentUpdateException ConflictException ConcurrentModificationException
        ReplicatedWriteConflictException TransactionConflictException TransactionCanceledException TooManyUpdates
    """,
    ErrorKind.EXPIRED_CREDENTIALS: "ExpiredToken ExpiredTokenException RequestExpired",
    ErrorKind.ACCESS_DENIED: """
        403 AccessDenied AccessDeniedException UnauthorizedOperation AuthorizationError NotAuthorizedException
        InvalidClientTokenId SignatureDoesNotMatch UnrecognizedClientException KMSKeyNotAccessibleFault
        KMS.DisabledException RequestTimeTooSkewed
    """,
    ErrorKind.NOT_FOUND: """
        404 ClusterNotFoundException ServiceNotFoundException ServiceNotActiveException TargetGroupNotFound
        DBInstanceNotFound DBLogFileNotFoundFault ResourceNotFoundException InvalidGroup.NotFound NoSuchBucket
        NoSuchEntity UserNotFoundException WAFNonexistentItemException
    """,
    ErrorKind.QUOTA_EXCEEDED: """
        SnapshotQuotaExceeded ServiceQuotaExceededException LimitExceededException WAFLimitsExceededException
        NetworkAclEntryLimitExceeded RulesPerSecurityGroupLimitExceeded ParameterLimitExceeded TooManyRules
    """,
    ErrorKind.INVALID_REQUEST: """
        ValidationException ValidationError InvalidParameterValue InvalidParameterCombination
        InvalidParameterException MissingParameter ClientException SubscriptionRequiredException
        UnsupportedFeatureException IdempotentParameterMismatch IdempotentParameterMismatchException
        WAFInvalidParameterException InvalidRequest InvalidObjectState MessageRejected BadRequestException
    """,
    ErrorKind.UNKNOWN: "SomethingNew Forbidding",
}
CASES = [(code, kind) for kind, codes in TABLE.items() for code in codes.split()]
SECRET = "patient 4711 at 198.51.100.7"


class Counted(Params):
    count: int = Field(ge=1)


def aws_error(code: str, operation: str = "DescribeServices", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": SECRET}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        operation,
    )


def invalid() -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Counted.model_validate({"count": 0})
    return caught.value


@pytest.mark.parametrize(("code", "kind"), CASES)
def test_every_listed_code_has_its_kind(code: str, kind: ErrorKind) -> None:
    """A code that AWS sends becomes the kind that says what to do about it."""
    assert kind_of(aws_error(code)) is kind


@pytest.mark.parametrize("code", sorted(ALREADY))
def test_what_is_so_already_is_recognised_and_otherwise_read_again(code: str) -> None:
    """An "already so" answer is told apart from every other; who does not handle it comes back and reads again."""
    assert is_already(aws_error(code))
    assert kind_of(aws_error(code)) is ErrorKind.CONFLICT
    assert kind_of(aws_error(code)) not in FINAL


def test_other_errors_are_not_already() -> None:
    """Nothing but the listed codes counts as done."""
    assert not is_already(aws_error("DBInstanceNotFound"))
    assert not is_already(RuntimeError("412"))


@pytest.mark.parametrize("status", [420, 429, 500, 502, 503, 599])
def test_an_unlisted_code_is_judged_by_its_status(status: int) -> None:
    """Server errors and throttling are transient even under a code that nobody listed."""
    assert kind_of(aws_error("SomethingNew", status=status)) is ErrorKind.TRANSIENT


@pytest.mark.parametrize("operation", ["CreateExportTask", "StartQuery"])
def test_one_at_a_time_is_waited_for(operation: str) -> None:
    """`LimitExceededException` is a quota, except where only one task may run at a time."""
    assert kind_of(aws_error("LimitExceededException", operation)) is ErrorKind.WRONG_STATE


def test_too_often_is_waited_for() -> None:
    """Cognito's limit of password resets passes; its limit of what may be made does not."""
    assert kind_of(aws_error("LimitExceededException", "AdminResetUserPassword")) is ErrorKind.TRANSIENT
    assert kind_of(aws_error("LimitExceededException", "CreateGroup")) is ErrorKind.QUOTA_EXCEEDED


@pytest.mark.parametrize("operation", ["SendTextMessage", "SendVoiceMessage"])
def test_what_can_never_be_sent_is_not_tried_again(operation: str) -> None:
    """End User Messaging calls it a conflict that somebody opted out; elsewhere a conflict is read again."""
    assert kind_of(aws_error("ConflictException", operation)) is ErrorKind.INVALID_REQUEST
    assert kind_of(aws_error("ConflictException", "CreatePool")) is ErrorKind.CONFLICT


@pytest.mark.parametrize(("service", "operation"), operations())
def test_what_a_service_documents_has_a_kind(service: str, operation: str) -> None:
    """No error that the model names for an operation of ours is unknown, so none is retried three times for nothing."""
    kinds = {code: kind_of(aws_error(code, operation)) for code in codes_of(service, operation)}
    assert [code for code, kind in kinds.items() if kind is ErrorKind.UNKNOWN] == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EndpointConnectionError(endpoint_url="https://ecs"), ErrorKind.TRANSIENT),
        (ConnectTimeoutError(endpoint_url="https://ecs"), ErrorKind.TRANSIENT),
        (ReadTimeoutError(endpoint_url="https://ecs"), ErrorKind.TRANSIENT),
        (ConnectionClosedError(endpoint_url="https://ecs"), ErrorKind.TRANSIENT),
        (ResponseParserError(SECRET), ErrorKind.TRANSIENT),
        (TimeoutError(), ErrorKind.TRANSIENT),
        (NoCredentialsError(), ErrorKind.ACCESS_DENIED),
        (ParamValidationError(report=SECRET), ErrorKind.INVALID_REQUEST),
        (RuleError("no"), ErrorKind.REFUSED),
        (invalid(), ErrorKind.INVALID_REQUEST),
        (ApplicationError("busy", type="ResourceBusy"), ErrorKind.BUSY),
        (ApplicationError("else", type="Else"), ErrorKind.UNKNOWN),
        (RuntimeError(SECRET), ErrorKind.UNKNOWN),
    ],
)
def test_errors_without_a_code_have_their_kind(error: Exception, kind: ErrorKind) -> None:
    """What never reached AWS, and what we refuse ourselves, is told apart by type."""
    assert kind_of(error) is kind


@pytest.mark.parametrize(("code", "kind"), CASES)
def test_only_final_kinds_are_not_retried(code: str, kind: ErrorKind) -> None:
    """On a first attempt exactly the final kinds stop; expired credentials get their one more."""
    made = as_application_error(aws_error(code), "looking at backend")
    assert made.type == kind.value
    assert made.non_retryable == (kind in FINAL and kind is not ErrorKind.EXPIRED_CREDENTIALS)


@pytest.mark.parametrize(
    ("code", "last"), [("ExpiredToken", 2), ("SomethingNew", 3), ("InsufficientDBInstanceCapacity", 3)]
)
def test_some_errors_are_retried_a_counted_number_of_times(code: str, last: int) -> None:
    """Expired credentials are tried twice, unlisted codes and lacking capacity three times, then never again."""
    final = [as_application_error(aws_error(code), "x", attempt).non_retryable for attempt in range(1, 5)]
    assert final == [attempt >= last for attempt in range(1, 5)]


@pytest.mark.parametrize("error", [aws_error("ClientException"), ResponseParserError(SECRET), RuntimeError(SECRET)])
def test_messages_hold_nothing_that_was_answered(error: Exception) -> None:
    """What AWS wrote back, which may name people, does not enter the message."""
    assert SECRET not in str(as_application_error(error, "looking at backend"))


def test_the_message_says_what_was_done_and_what_came_back() -> None:
    """A responder reads what was being done, the operation and the code, on one line."""
    made = as_application_error(aws_error("AccessDenied"), "looking\nat backend")
    assert made.message == "looking at backend: AWS answered AccessDenied to DescribeServices"


def test_messages_are_bounded() -> None:
    """However long a reason is, the message stays within 300 characters."""
    assert len(as_application_error(RuleError("why " * 500), "scaling").message) == 300


def test_a_refusal_says_its_reason_and_an_invalid_parameter_its_field() -> None:
    """Both come back to whoever asked, who can then ask better."""
    assert as_application_error(RuleError("not above 8 tasks"), "scaling").message == "scaling: not above 8 tasks"
    made = as_application_error(invalid(), "scaling")
    assert made.message == "scaling: count: Input should be greater than or equal to 1"
    assert made.non_retryable


def test_our_own_errors_pass_unchanged() -> None:
    """An error that already says its kind and delay keeps them."""
    ours = ApplicationError("wait", type="NotYet")
    assert as_application_error(ours, "verifying") is ours
