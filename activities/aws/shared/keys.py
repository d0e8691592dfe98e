"""KMS keys that something is encrypted under."""

from activities.action import Clients, RuleError
from activities.aws.shared.error_codes import code_of


def usable_key(clients: Clients, key: str, part: str) -> str:
    """The ARN of a key of ours that is enabled; raises `RuleError` for any other (`kms:DescribeKey`).

    `part` is where the environment's file names it.
    """
    kms = clients.client("kms")
    try:
        known = kms.describe_key(KeyId=key)["KeyMetadata"]
    except kms.exceptions.ClientError as error:
        if code_of(error) != "NotFoundException":
            raise
        raise RuleError(f"there is no key {key}: look at {part} in the environment's file") from error
    if known.get("KeyManager", "CUSTOMER") != "CUSTOMER":
        raise RuleError(f"{key} is AWS's own key, and what it encrypts cannot be shared: name a key of yours")
    if known.get("KeyState", "Enabled") != "Enabled":
        raise RuleError(f"key {key} is {known['KeyState']}, so nothing can be copied under it: enable it")
    return str(known["Arn"])
