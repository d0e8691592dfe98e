"""Rights that the plays of this folder do not come to use, each with when it is used."""

UNMADE: dict[tuple[str, str], str] = {
    ("diagnose-sensitive", "logs:StopQuery"): "a query is stopped only when its activity is cancelled",
    ("forensics", "s3:AbortMultipartUpload"): "only an upload of parts that was cut is given up",
    ("diagnose-sensitive", "kms:Decrypt"): "S3 asks it where a bucket is encrypted under a key of its own",
    ("ledger", "kms:Decrypt"): "S3 asks it where the bucket encrypts by itself under the key",
}
"""By role and IAM action."""
