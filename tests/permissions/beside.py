"""What AWS asks IAM for beside an operation's own action, by the parameters that are given."""

_STORING: dict[str, tuple[str, ...]] = {
    "ObjectLockMode": ("s3:PutObjectRetention",),
    "ObjectLockLegalHoldStatus": ("s3:PutObjectLegalHold",),
    "SSEKMSKeyId": ("kms:GenerateDataKey",),
}
BESIDE: dict[str, dict[str, tuple[str, ...]]] = {
    "s3:PutObject": _STORING,
    "s3:CreateMultipartUpload": {**_STORING, "SSEKMSKeyId": ("kms:Decrypt", "kms:GenerateDataKey")},
    "sts:AssumeRole": {"SourceIdentity": ("sts:SetSourceIdentity",), "Tags": ("sts:TagSession",)},
}
"""By operation and parameter (Amazon S3 user guide, "Required permissions for Amazon S3 API operations", and of parts
under a key API CreateMultipartUpload; IAM user guide, "Monitor and control actions taken with assumed roles" and "Pass
session tags in AWS STS")."""
