"""The evidence bucket under Object Lock, and the keys: of it, of snapshots' copies, and that signs the ledger."""

from sandbox.runtime.aws_world import World


def vault(world: World) -> None:
    """Create what `environment.evidence` names; nothing where it names nothing."""
    evidence = world.environment.evidence
    if evidence is None:
        return
    world.client("s3").create_bucket(
        Bucket=evidence.bucket,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": world.environment.region},
    )
    closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    # as AWS does by itself since April 2023 (S3 guide, "Blocking public access")
    world.client("s3").put_public_access_block(Bucket=evidence.bucket, PublicAccessBlockConfiguration=closed)
    made_key(world, evidence.kms_key)
    made_key(world, evidence.signing_key, "SIGN_VERIFY", "ECC_NIST_P256")
    if evidence.snapshots:
        made_key(world, evidence.snapshots.kms_key)


def made_key(world: World, alias: str, usage: str = "ENCRYPT_DECRYPT", spec: str = "SYMMETRIC_DEFAULT") -> str:
    """Make a key under an alias; gives its ARN."""
    kms = world.client("kms")
    key = kms.create_key(KeyUsage=usage, KeySpec=spec)["KeyMetadata"]
    if alias.startswith("alias/"):
        kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    return str(key["Arn"])
