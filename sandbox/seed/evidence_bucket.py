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
    _key(world, evidence.kms_key, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT")
    _key(world, evidence.signing_key, "SIGN_VERIFY", "ECC_NIST_P256")
    if evidence.snapshots:
        _key(world, evidence.snapshots.kms_key, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT")


def _key(world: World, alias: str, usage: str, spec: str) -> None:
    kms = world.client("kms")
    key = kms.create_key(KeyUsage=usage, KeySpec=spec)["KeyMetadata"]["KeyId"]
    if alias.startswith("alias/"):
        kms.create_alias(AliasName=alias, TargetKeyId=key)
