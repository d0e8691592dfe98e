"""What AWS error codes mean, without importing an AWS library.

The code is `Error.Code` of the answer as it went over the wire. Services write the same one with and without
`Exception` or `Fault` at its end, so the tables are compared without it.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from domain.values.errors import ErrorKind

T = TypeVar("T")

_ALREADY = """
    412 BucketAlreadyOwnedByYou ConditionalCheckFailedException DBClusterSnapshotAlreadyExists
    DBSnapshotAlreadyExists ExportTaskAlreadyExists
    FlowLogAlreadyExists InvalidNetworkAclEntry.NotFound InvalidPermission.Duplicate InvalidPermission.NotFound
    InvalidSecurityGroupRuleId.NotFound NetworkAclEntryAlreadyExists ParameterAlreadyExists PreconditionFailed
    PriorityInUse WAFDuplicateItemException
"""
ALREADY = frozenset(_ALREADY.split())
"""It is so already: whoever asked looks whether it is ours, and only then calls it done.

S3's answers to HEAD have no body, so that botocore gives their HTTP status as the code: 412, 404, 403 and 400.
"""
_TRANSIENT = """
    BandwidthLimitExceeded ConditionalRequestConflict DependencyTimeoutException EC2ThrottledException
    HealthUnavailable InternalError InternalFailure InternalServerError InternalServerException InternalServiceError
    InternalServiceException KeyUnavailableException KMSInternalException OperationAbortedException
    ProvisionedThroughputExceededException RequestLimitExceeded RequestThrottled RequestThrottledException
    RequestTimeoutException ServerException ServiceException ServiceUnavailableException SlowDown ThrottledException
    Throttling ThrottlingException TooManyRequestsException TransactionInProgressException
    WAFInternalErrorException WAFUnavailableEntityException
"""
_WRONG_STATE = """
    Concurrent*LimitExceeded DBInstanceNotReady InsufficientDBInstanceCapacity InvalidDB*State KMSInvalidStateException
    PriorRequestNotComplete RequestInProgressException ResourceInUseException
"""
_CONFLICT = """
    ConcurrentModificationException ConcurrentUpdateException ConflictException ReplicatedWriteConflictException
    TooManyUpdates TransactionCanceledException TransactionConflictException WAFOptimisticLockException
"""
_EXPIRED = "ExpiredTokenException RequestExpired"
_ACCESS_DENIED = """
    403 AccessDeniedException AccountSuspendedException AuthFailure AuthorizationError DisabledException
    FailedResourceAccessException Forbidden IncompleteSignature InsufficientDependencyServiceAccessPermissionException
    InvalidAccessKeyId InvalidClientTokenId InvalidSignatureException KMSKeyNotAccessibleFault
    MissingAuthenticationToken NotAuthorizedException RegionDisabledException RequestTimeTooSkewed
    SendingPausedException SignatureDoesNotMatch UnauthorizedOperation
    UnrecognizedClientException WAFLogDestinationPermissionIssueException WAFServiceLinkedRoleErrorException
"""
_NOT_FOUND = "404 ServiceNotActiveException WAFNonexistentItemException *NotFound* NoSuch*"
_QUOTA = """
    TargetGroupAssociationLimit *LimitExceeded* *LimitsExceeded* *QuotaExceeded* TooMany*
"""
_INVALID = """
    400 AttachmentSetExpired BadRequestException CloudTrailARNInvalid ClientException DBInstanceAlreadyExists
    DBSubnetGroupDoesNotCoverEnoughAZs DBSubnetGroupNotAllowedFault DBUpgradeDependencyFailure DryRunOperationException
    IdempotentParameterMismatch
    IllegalArgumentException IncorrectKeyException MailFromDomainNotVerifiedException MalformedPolicyDocument
    MalformedQueryException MessageRejected MissingParameter
    NoManagementAccountSLRExistsException NotOrganizationMasterAccountException OperationNotEnabledException
    OperationNotPermitted PackedPolicyTooLarge PasswordResetRequiredException PlatformUnknownException
    ProvisionedIopsNotAvailableInAZFault SubscriptionRequiredException UnexpectedLambdaException
    UserLambdaValidationException UserNotConfirmedException
    UserPoolTaggingException ValidationError ValidationException VpcEncryptionControlViolationException
    WAFConfigurationWarningException WAFExpiredManagedRuleGroupVersionException
    FeatureUnavailableInTierException WAFFeatureNotIncludedInPricingPlanException
    *Incompatib* Invalid* WAFInvalid* *Mismatch* *NotSupported* Unsupported*
"""


def _bare(code: str) -> str:
    """Without its ending, and as KMS says it where another service passes it on: `KMS.DisabledException`."""
    return code.removeprefix("KMS.").removesuffix("Exception").removesuffix("Fault")


_TABLE = [
    (_bare(code), kind)
    for kind, codes in (
        (ErrorKind.TRANSIENT, _TRANSIENT),
        (ErrorKind.WRONG_STATE, _WRONG_STATE),
        (ErrorKind.CONFLICT, _CONFLICT),
        (ErrorKind.CONFLICT, _ALREADY),  # unhandled, it is looked at again
        (ErrorKind.EXPIRED_CREDENTIALS, _EXPIRED),
        (ErrorKind.ACCESS_DENIED, _ACCESS_DENIED),
        (ErrorKind.NOT_FOUND, _NOT_FOUND),
        (ErrorKind.QUOTA_EXCEEDED, _QUOTA),
        (ErrorKind.INVALID_REQUEST, _INVALID),
    )
    for code in codes.split()
]
_EXACT = {code: kind for code, kind in reversed(_TABLE) if "*" not in code}
_WILD = [(code, kind) for code, kind in _TABLE if "*" in code]
_ALREADY_BARE = frozenset(_bare(code) for code in ALREADY)
_OF_OPERATION = {
    # one at a time is allowed
    ("LimitExceeded", "CreateExportTask"): ErrorKind.WRONG_STATE,
    ("LimitExceeded", "StartQuery"): ErrorKind.WRONG_STATE,
    # "attempt limit exceeded, please try after some time" (Amazon Cognito)
    ("LimitExceeded", "AdminResetUserPassword"): ErrorKind.TRANSIENT,
    ("LimitExceeded", "ForgotPassword"): ErrorKind.TRANSIENT,
    # somebody opted out, or a sender is not active: it can never be sent (AWS End User Messaging)
    ("Conflict", "SendTextMessage"): ErrorKind.INVALID_REQUEST,
    ("Conflict", "SendVoiceMessage"): ErrorKind.INVALID_REQUEST,
}
"""What a code means where an operation says something else by it."""
_RETRIED_STATUSES = frozenset({420, 429})


def code_of(error: BaseException) -> str | None:
    """Give the AWS error code of a botocore `ClientError`; None for any other error."""
    response = getattr(error, "response", None)
    found = response.get("Error") if isinstance(response, dict) else None
    return str(found.get("Code", "")) if isinstance(found, dict) else None


def is_already(error: BaseException) -> bool:
    """Tell whether AWS says that it is so already; the caller then looks whether it is ours."""
    code = code_of(error)
    return code is not None and _bare(code) in _ALREADY_BARE


def kind_of_answer(response: dict[str, Any], operation: str) -> ErrorKind:
    """Give the kind of an error answer: by its code, for some with the operation, else by its HTTP status."""
    code = _bare(str(response.get("Error", {}).get("Code", "")))
    if known := _OF_OPERATION.get((code, operation)) or _EXACT.get(code):
        return known
    for pattern, kind in _WILD:
        if fnmatchcase(code, pattern):
            return kind
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode") or (int(code) if code.isdecimal() else 0)
    if status >= 500 or status in _RETRIED_STATUSES:
        return ErrorKind.TRANSIENT
    return ErrorKind.UNKNOWN


def is_of_aws(error: BaseException) -> bool:
    """Tell whether AWS refused, or could not be reached; botocore need not be loaded to know."""
    return any(base.__module__ == "botocore.exceptions" for base in type(error).__mro__)


def kind_of_refusal(error: BaseException) -> ErrorKind | None:
    """Give the kind of what AWS answered; None for any other error."""
    if code_of(error) is None:
        return None
    return kind_of_answer(getattr(error, "response", {}), getattr(error, "operation_name", ""))


def answered(error: BaseException) -> str:
    """What may go on record of an answer of AWS: its code alone, and what was asked."""
    return f"AWS answered {code_of(error)} to {getattr(error, 'operation_name', '')}"


def is_denied(error: BaseException) -> bool:
    """Tell whether AWS answered that whoever asked may not."""
    return kind_of_refusal(error) is ErrorKind.ACCESS_DENIED


def unless_denied(look: Callable[[], T]) -> T | None:
    """What a look gives that only completes a plan; None where the role may not look, which the plan then says."""
    try:
        return look()
    except Exception as error:
        if not is_denied(error):
            raise
        return None
