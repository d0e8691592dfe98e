"""STS as moto has it, over HTTP, looking at each signature; users and sessions that may sign."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from typing import Any, NamedTuple

import boto3
import pytest
import requests
from botocore.credentials import ReadOnlyCredentials
from moto.core.authorization import disable_iam_authentication, enable_iam_authentication
from moto.iam import access_control
from moto.server import ThreadedMotoServer

from activities.aws.shared.sts import post_to_sts
from authority.aws_iam import Answer
from authority.aws_requests import sts_host

REGION = "ap-southeast-2"
ACCOUNT = "123456789012"
SSO_ROLE = "AWSReservedSSO_Responder_0123456789abcdef"


def real_sigv4() -> Any:
    """botocore's own signing: the suite has taken that of the shared module away, as moto usually looks at none."""
    spec = find_spec("botocore.auth")
    assert spec is not None
    assert spec.loader is not None
    fresh = module_from_spec(spec)
    spec.loader.exec_module(fresh)
    return fresh.SigV4Auth


class Sts(NamedTuple):
    """Where it listens, and whose credentials it knows, by ARN."""

    endpoint: str
    known: Mapping[str, ReadOnlyCredentials]

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Sends what would go to STS here; `Host` stays what was signed."""
        assert url == f"https://{sts_host(REGION)}/"
        return post_to_sts(f"{self.endpoint}/", headers, body)


@contextmanager
def listening(users: int = 2, sessions: tuple[str, ...] = ("jane@axis-imaging.example",)) -> Iterator[Sts]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access_control, "SigV4Auth", real_sigv4())
        patch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        try:
            with disable_iam_authentication():
                known = dict(_made(endpoint, users, sessions))
            with enable_iam_authentication():
                yield Sts(endpoint, known)
        finally:
            requests.post(f"{endpoint}/moto-api/reset", timeout=30)  # moto keeps them for the process
            server.stop()


def _made(endpoint: str, users: int, sessions: tuple[str, ...]) -> Iterator[tuple[str, ReadOnlyCredentials]]:
    session = boto3.Session("testing", "testing", region_name=REGION)
    iam, sts = session.client("iam", endpoint_url=endpoint), session.client("sts", endpoint_url=endpoint)
    for number in range(users):
        user = iam.create_user(UserName=f"responder-{number}")["User"]
        key = iam.create_access_key(UserName=f"responder-{number}")["AccessKey"]
        yield user["Arn"], ReadOnlyCredentials(key["AccessKeyId"], key["SecretAccessKey"], None)
    role = iam.create_role(RoleName=SSO_ROLE, AssumeRolePolicyDocument="{}", Path="/aws-reserved/sso.amazonaws.com/")
    for name in sessions:
        taken = sts.assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName=name)
        held = taken["Credentials"]
        yield (
            taken["AssumedRoleUser"]["Arn"],
            ReadOnlyCredentials(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"]),
        )
