"""Which permissions an operation needs: IAM's names for what botocore calls by other ones."""

_SERVICES = {"elbv2": "elasticloadbalancing", "sesv2": "ses"}
_OTHERWISE = {
    "dynamodb:TransactWriteItems": ("dynamodb:PutItem", "dynamodb:ConditionCheckItem"),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:CopyObject": ("s3:GetObject", "s3:PutObject"),
    "s3:CreateMultipartUpload": ("s3:PutObject",),
    "s3:UploadPart": ("s3:PutObject",),
    "s3:CompleteMultipartUpload": ("s3:PutObject",),
    "s3:GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
}
_MECHANISM = frozenset(
    {"dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}
)
"""What every change needs for its intents and locks; no action names it."""
_FREE = frozenset({"sts:GetCallerIdentity"})
"""What needs no permission (AWS STS, "GetCallerIdentity")."""


def needed(operations: set[str]) -> set[str]:
    """The permissions that an action must name to make these `service:Operation`; calls by plain HTTP need none."""
    found: set[str] = set()
    for operation in operations:
        service, name = operation.split(":", 1)
        if service != "http":
            found.update(_OTHERWISE.get(operation, (f"{_SERVICES.get(service, service)}:{name}",)))
    return found - _MECHANISM - _FREE
