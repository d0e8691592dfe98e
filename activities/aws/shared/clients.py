"""The boto3 clients that actions use: cached, with short timeouts, from whichever role the worker has."""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from threading import Lock
from typing import Any, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError

from activities.aws.shared.bearers import Bearer, bearer
from activities.aws.shared.error_codes import kind_of_answer
from activities.aws.shared.reading import refuse_write
from domain.values.aws_places import partition_of
from domain.values.errors import ErrorKind

_ATTEMPTS = 3
_CONNECT_SECONDS = 3
_READ_SECONDS = 15
_FUNCTION_SECONDS = 75  # functions that an environment names may take a minute; a second call beside it would mislead
_CONNECTIONS = 50  # as many as a queue has activity threads
_SESSION_SECONDS = 3600  # the most that role chaining allows
_RENEWED = "credentials renewed"
_HOMED = frozenset({"support", "health"})  # services with one endpoint for the whole account
_BEARERS = 16  # whose sessions are kept, with their clients, beside the worker's


class AwsClients:
    """Clients by service name, each built once; safe to share between threads.

    `cloudtrail@<region>` names a service in a region other than the environment's own. `borne` gives the session
    of a bearer (`acting_for`, `only_reading`); without it all is asked in `session`. What a client may only read with
    refuses everything else before it is sent, in whichever session.
    """

    def __init__(
        self, session: boto3.Session, region: str, borne: Callable[[Bearer], boto3.Session] | None = None
    ) -> None:
        self._session = session
        self._region = region
        self._lock = Lock()
        self._clients: dict[tuple[str, int, bool], Any] = {}
        self._borne = borne and lru_cache(_BEARERS)(lambda one: AwsClients(borne(one), region))

    def client(self, service: str) -> Any:
        """Give the client that makes up to three attempts: for reads and for absolute writes."""
        return self._cached(service, _ATTEMPTS)

    def once(self, service: str) -> Any:
        """Give the client that makes one attempt: for writes without a token, read back before any retry."""
        return self._cached(service, 1)

    def _cached(self, service: str, attempts: int) -> Any:
        one = bearer()
        if self._borne and one is not None:
            return self._borne(one)._cached(service, attempts)  # noqa: SLF001 - of this very class
        # building a client from a session is not thread-safe; using one is
        with self._lock:
            key = (service, attempts, one is not None and one.reads)
            if key not in self._clients:
                name, _, region = service.partition("@")
                made: Any = self._session.client(
                    cast("Any", name),
                    region_name=region or (partition_of(self._region).home if name in _HOMED else self._region),
                    config=_config(attempts, _FUNCTION_SECONDS if name == "lambda" else _READ_SECONDS),
                )
                credentials = self._session.get_credentials()
                if isinstance(credentials, _Renewable):
                    made.meta.events.register("needs-retry", partial(_renew_once, credentials))
                if key[-1]:
                    made.meta.events.register_first("provide-client-params", refuse_write)
                self._clients[key] = made
            return self._clients[key]


def own_session(region: str | None) -> boto3.Session:
    """Give a session with the worker's own credentials. The region is the configured one where none is given.

    Sessions are for one thread at a time; all share what was read of the services' descriptions.
    """
    return boto3.Session(botocore_session=_inner(), region_name=region)


def assumed_session(
    base: boto3.Session, role_arn: str, session_name: str, region: str, asked: Mapping[str, Any] | None = None
) -> boto3.Session:
    """Give a session that acts as `role_arn`, and assumes it again before each hour's credentials expire.

    It does so too when AWS says that they have expired before their time, and sends the request once more.
    Nothing is asked of STS before the first call (`sts:AssumeRole`; with a source identity `sts:SetSourceIdentity`,
    with tags `sts:TagSession`). `session_name` is what CloudTrail shows, `asked` what else STS is asked for.
    Raises `NoCredentialsError` when `base` has nothing to assume the role with.
    """
    source = base.get_credentials()
    if source is None:
        raise NoCredentialsError
    kept: dict[str, Any] = {}
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=partial(base.client, region_name=region, config=_config(_ATTEMPTS)),
        source_credentials=cast("Any", source),
        role_arn=role_arn,
        extra_args={"RoleSessionName": session_name, "DurationSeconds": _SESSION_SECONDS, **(asked or {})},
        cache=kept,
    )
    inner = _inner()
    inner.register_component("credential_provider", CredentialResolver([_Assumed(fetcher, kept)]))
    return boto3.Session(botocore_session=inner, region_name=region)


def _inner() -> Any:
    inner = botocore.session.get_session()
    inner.register_component("data_loader", _descriptions())
    return inner


@cache
def _descriptions() -> Any:
    return botocore.session.get_session().get_component("data_loader")


class _Assumed(CredentialProvider):
    METHOD = "assume-role"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher, kept: dict[str, Any]) -> None:
        super().__init__()
        self._fetcher = fetcher
        self._kept = kept

    def load(self) -> Any:
        return _Renewable(self.METHOD, self._fetcher, self._kept)


class _Renewable(DeferredRefreshableCredentials):
    """Credentials that can be fetched anew before their time; `kept` is where the fetcher keeps them until then."""

    def __init__(self, method: str, fetcher: AssumeRoleCredentialFetcher, kept: dict[str, Any]) -> None:
        super().__init__(refresh_using=self._fetch, method=method)
        self._fetcher = fetcher
        self._kept = kept
        self._refused = False

    def renew(self) -> None:
        self._kept.clear()
        self._refused = True

    def refresh_needed(self, refresh_in: int | None = None) -> bool:
        return self._refused or bool(super().refresh_needed(refresh_in))

    def _fetch(self) -> Any:
        fetched = self._fetcher.fetch_credentials()
        self._refused = False
        return fetched


def _renew_once(credentials: _Renewable, response: Any, request_dict: dict[str, Any], **_: Any) -> float | None:
    """Let botocore send a request once more at once, signed anew, when AWS says that its credentials have expired.

    AWS did nothing then, so this holds for clients that make one attempt too.
    """
    context = request_dict["context"]
    if response is None or "Error" not in response[1] or _RENEWED in context:
        return None
    if kind_of_answer(response[1], "") is not ErrorKind.EXPIRED_CREDENTIALS:
        return None
    context[_RENEWED] = True
    credentials.renew()
    return 0


def _config(attempts: int, read_seconds: int = _READ_SECONDS) -> Config:
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_seconds,
        max_pool_connections=_CONNECTIONS,
    )
