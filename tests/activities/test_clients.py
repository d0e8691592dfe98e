from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import NoCredentialsError
from moto import mock_aws
from moto.core.botocore_stubber import MockRawResponse

from activities.aws.shared.clients import AwsClients, assumed_session
from tests.activities.scopes import REGION

ROLE = "arn:aws:iam::123456789012:role/ir-diagnose"


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.Session(region_name=REGION)


def test_a_client_retries_and_once_does_not(base: boto3.Session) -> None:
    """Reads make up to three attempts of at most 3 s + 15 s; writes without a token make one."""
    clients = AwsClients(base, REGION)
    for client, attempts in ((clients.client("ecs"), 3), (clients.once("ecs"), 1)):
        config = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (3, 15)
        assert config.retries == {"mode": "standard", "total_max_attempts": attempts}


def test_clients_are_built_once_whoever_asks(base: boto3.Session) -> None:
    """Threads that ask at the same time share one client, and the two kinds stay apart."""
    clients = AwsClients(base, REGION)
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: clients.client("rds"), range(32)))
    assert len({id(one) for one in got}) == 1
    assert clients.once("rds") is not got[0]


def test_account_wide_services_are_asked_where_they_live(base: boto3.Session) -> None:
    """Support and Health have their endpoint in us-east-1; everything else is in the environment's region."""
    clients = AwsClients(base, REGION)
    # what requests are signed for: Health shows its region as aws-global
    regions = {s: clients.client(s)._request_signer.region_name for s in ("support", "health", "ecs")}
    assert regions == {"support": "us-east-1", "health": "us-east-1", "ecs": REGION}


def test_an_assumed_session_acts_as_the_role(base: boto3.Session) -> None:
    """Calls of the session are made by the role under the session name."""
    session = assumed_session(base, ROLE, "inc-20261123-7f3k", REGION)
    who = AwsClients(session, REGION).client("sts").get_caller_identity()
    assert who["Arn"] == "arn:aws:sts::123456789012:assumed-role/ir-diagnose/inc-20261123-7f3k"


def test_an_assumed_session_renews_its_credentials(base: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """An incident outlives the hour that a role lasts: near their end the credentials are fetched anew."""
    credentials: Any = assumed_session(base, ROLE, "worker", REGION).get_credentials()
    first = credentials.get_frozen_credentials().access_key
    assert credentials.get_frozen_credentials().access_key == first

    def later() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=50)

    monkeypatch.setattr("botocore.credentials._local_now", later)
    monkeypatch.setattr(credentials, "_time_fetcher", later)
    assert credentials.get_frozen_credentials().access_key != first


@pytest.mark.parametrize("once", [False, True], ids=["client", "once"])
@pytest.mark.parametrize("refused", [1, 5])
def test_expired_credentials_are_fetched_anew_once(base: boto3.Session, refused: int, once: bool) -> None:
    """AWS calls them expired before their time: the role is assumed again and the request sent once more, no oftener.

    Attempts of an activity are not needed for it, which a change that is being verified has many of.
    """
    clients = AwsClients(assumed_session(base, ROLE, "worker", REGION), REGION)
    dynamodb = clients.once("dynamodb") if once else clients.client("dynamodb")
    keys: list[str] = []

    def refuse(request: Any, **_: Any) -> Any:
        keys.append(request.headers["Authorization"].decode().split("Credential=")[1].split("/")[0])
        body = MockRawResponse(b'{"__type": "ExpiredTokenException", "message": "expired"}')
        return AWSResponse(request.url, 400, HTTPHeaders(), body) if len(keys) <= refused else None

    dynamodb.meta.events.register_first("before-send", refuse)
    if refused == 1:
        assert dynamodb.list_tables()["TableNames"] == []
    else:
        with pytest.raises(dynamodb.exceptions.ClientError, match="ExpiredTokenException"):
            dynamodb.list_tables()
    assert len(keys) == len(set(keys)) == 2


def test_a_session_without_credentials_assumes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has no credentials is told at once, not at the first call."""
    monkeypatch.setattr(boto3.Session, "get_credentials", lambda _: None)
    with pytest.raises(NoCredentialsError):
        assumed_session(boto3.Session(), ROLE, "worker", REGION)
