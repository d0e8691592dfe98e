"""Which permissions an operation needs: IAM's names for what botocore calls by other ones."""

_SERVICES = {
    "elbv2": "elasticloadbalancing",
    "pinpoint-sms-voice-v2": "sms-voice",
    "service-quotas": "servicequotas",
    "sesv2": "ses",
}
_OTHERWISE = {
    "dynamodb:TransactWriteItems": ("dynamodb:PutItem", "dynamodb:ConditionCheckItem"),
    "lambda:Invoke": ("lambda:InvokeFunction",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:GetPublicAccessBlock": ("s3:GetBucketPublicAccessBlock",),
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:CopyObject": ("s3:GetObject", "s3:PutObject"),
    "s3:CreateMultipartUpload": ("s3:PutObject",),
    "s3:UploadPart": ("s3:PutObject",),
    "s3:CompleteMultipartUpload": ("s3:PutObject",),
    "s3:GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
}
_MECHANISM = frozenset({"dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"})
"""What every change needs for its intents and locks; no action names it."""
_FREE = frozenset({"sts:GetCallerIdentity"})
"""What needs no permission (AWS STS, "GetCallerIdentity")."""


def permissions_for(operation: str) -> tuple[str, ...]:
    """The IAM actions behind a `service:Operation` as botocore names it; none for what is free."""
    service, name = operation.split(":", 1)
    return () if operation in _FREE else _OTHERWISE.get(operation, (f"{_SERVICES.get(service, service)}:{name}",))


def needed(operations: set[str]) -> set[str]:
    """The permissions that an action must name to make these `service:Operation`; calls by plain HTTP need none."""
    called = (operation for operation in operations if not operation.startswith("http:"))
    return {one for operation in called for one in permissions_for(operation)} - _MECHANISM
