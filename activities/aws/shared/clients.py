"""The boto3 clients that actions use: cached, with short timeouts, from whichever role the worker has."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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

from activities.aws.shared.error_codes import kind_of_answer
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
_NAMES = 16  # sessions of their own that are kept, with their clients, beside the worker's
_NAME_LENGTH = 64  # STS API AssumeRole, RoleSessionName
_NOT_IN_NAMES = re.compile(r"[^\w+=,.@-]", re.ASCII)
_named: ContextVar[str] = ContextVar("session name", default="")


@contextmanager
def acting_for(incident: str, people: tuple[str, ...]) -> Iterator[None]:
    """Within it AWS is asked in a session that names the incident and these people, where a role is assumed.

    CloudTrail shows the name in `userIdentity.arn` of every call (STS API AssumeRole, RoleSessionName); what is too
    long for it is cut off, and `-` stands for what it does not take, such as the space in somebody's name. Threads that
    are started within keep to the worker's own session.
    """
    token = _named.set(_NOT_IN_NAMES.sub("-", ",".join((incident, *people)))[:_NAME_LENGTH])
    try:
        yield
    finally:
        _named.reset(token)


class AwsClients:
    """Clients by service name, each built once; safe to share between threads.

    `cloudtrail@<region>` names a service in a region other than the environment's own. `named` gives the session
    for `acting_for`; without it all is asked in `session`.
    """

    def __init__(
        self, session: boto3.Session, region: str, named: Callable[[str], boto3.Session] | None = None
    ) -> None:
        self._session = session
        self._region = region
        self._lock = Lock()
        self._clients: dict[tuple[str, int], Any] = {}
        self._named = named and lru_cache(_NAMES)(lambda name: AwsClients(named(name), region))

    def client(self, service: str) -> Any:
        """Give the client that makes up to three attempts: for reads and for absolute writes."""
        return self._cached(service, _ATTEMPTS)

    def once(self, service: str) -> Any:
        """Give the client that makes one attempt: for writes without a token, read back before any retry."""
        return self._cached(service, 1)

    def _cached(self, service: str, attempts: int) -> Any:
        if self._named and (name := _named.get()):
            return self._named(name)._cached(service, attempts)  # noqa: SLF001 - of this very class
        # building a client from a session is not thread-safe; using one is
        with self._lock:
            key = (service, attempts)
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
                self._clients[key] = made
            return self._clients[key]


def own_session(region: str | None) -> boto3.Session:
    """Give a session with the worker's own credentials. The region is the configured one where none is given.

    Sessions are for one thread at a time; all share what was read of the services' descriptions.
    """
    return boto3.Session(botocore_session=_inner(), region_name=region)


def assumed_session(base: boto3.Session, role_arn: str, session_name: str, region: str) -> boto3.Session:
    """Give a session that acts as `role_arn`, and assumes it again before each hour's credentials expire.

    It does so too when AWS says that they have expired before their time, and sends the request once more.
    Nothing is asked of STS before the first call (`sts:AssumeRole`). `session_name` is what CloudTrail shows.
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
        extra_args={"RoleSessionName": session_name, "DurationSeconds": _SESSION_SECONDS},
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
