"""A KMS in moto whose calls are counted, and that can be away."""

from typing import Any

import boto3
from botocore.exceptions import ClientError, EndpointConnectionError

REGION = "ap-southeast-2"


class CountedKms:
    """Two keys under aliases; `calls` holds the name of each operation asked of KMS."""

    def __init__(self) -> None:
        self._kms: Any = boto3.client("kms", REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
        self.calls: list[str] = []
        self.away = self.denies = False
        self.arns = {alias: self.key(alias) for alias in ("alias/new", "alias/old", "alias/theirs")}

    def key(self, alias: str) -> str:
        made = self._kms.create_key()["KeyMetadata"]
        self._kms.create_alias(AliasName=alias, TargetKeyId=made["KeyId"])
        return str(made["Arn"])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(**asked: Any) -> Any:
            self.calls.append(name)
            if self.away:
                raise EndpointConnectionError(endpoint_url="https://kms")
            if self.denies:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "as AWS would"}}, name)
            return getattr(self._kms, name)(**asked)

        return call
