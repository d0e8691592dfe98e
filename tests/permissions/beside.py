"""What S3 asks IAM for beside an operation's own action, by the parameters that are given."""

_STORING: dict[str, tuple[str, ...]] = {
    "ObjectLockMode": ("s3:PutObjectRetention",),
    "ObjectLockLegalHoldStatus": ("s3:PutObjectLegalHold",),
    "SSEKMSKeyId": ("kms:GenerateDataKey",),
}
BESIDE: dict[str, dict[str, tuple[str, ...]]] = {
    "s3:PutObject": _STORING,
    "s3:CreateMultipartUpload": {**_STORING, "SSEKMSKeyId": ("kms:Decrypt", "kms:GenerateDataKey")},
}
"""By operation and parameter (Amazon S3 user guide, "Required permissions for Amazon S3 API operations", and of parts
under a key API CreateMultipartUpload)."""
