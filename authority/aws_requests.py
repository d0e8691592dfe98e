"""The one request by which somebody shows an AWS identity over a claim: `sts:GetCallerIdentity`, signed, not sent.

Whoever acts signs it (Signature Version 4, in headers) with the claim's digest among the signed headers, and hands it
over; whoever verifies sends it, and STS answers who signed. Everything in it but the signature, the session token and
the names of key and time is fixed here, so that it can be no other request, and none to another place. It holds no
secret: who reads it can ask the same question for the few minutes that STS takes its signature, and nothing else.
"""

import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

from authority.ssh_signatures import SignatureError
from domain.values.aws_places import partition_of

DIGEST_HEADER = "x-incident-claim"
_BODY = "Action=GetCallerIdentity&Version=2011-06-15"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_ALWAYS = frozenset({"authorization", "content-type", "host", "x-amz-date", DIGEST_HEADER})
_TOKEN = "x-amz-security-token"  # noqa: S105 - the name of a header
_ALGORITHM, _END = "AWS4-HMAC-SHA256", "aws4_request"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=(?P<key>[A-Z0-9]{{16,128}})/(?P<scope>[a-z0-9/_-]{{1,80}}), "
    r"SignedHeaders=(?P<signed>[a-z0-9;-]{1,200}), Signature=(?P<signature>[0-9a-f]{64})"
)
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_SESSION = re.compile(r"[A-Za-z0-9+/=_-]{1,6000}")
_MOST = 8192
"""Characters; a session of AWS SSO makes one of two thousand."""


class Credentials(Protocol):
    """Of an IAM user or a session: what botocore gives as `get_frozen_credentials()`."""

    @property
    def access_key(self) -> str | None: ...
    @property
    def secret_key(self) -> str | None: ...
    @property
    def token(self) -> str | None: ...


class Request(NamedTuple):
    """What is sent to STS, by POST."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    method: str
    url: str
    headers: dict[str, str]
    body: str


def sts_host(region: str) -> str:
    """The name of a region's own STS endpoint."""
    return f"sts.{region}.{partition_of(region).suffix}"


def signed(content: bytes, credentials: Credentials, region: str, at: datetime) -> str:
    """Sign the request over a claim's bytes, and send nothing: what proves the claim, as JSON.

    `region` is the verifiers', and `at` (aware) the time of now, by which STS takes the signature for some minutes.
    Raises `ValueError` where the credentials are none.
    """
    if not (credentials.access_key and credentials.secret_key):
        raise ValueError("there are no AWS credentials: sign in first")
    time = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    host = sts_host(region)
    headers = {"content-type": _FORM, "host": host, "x-amz-date": time, DIGEST_HEADER: sha256(content).hexdigest()}
    if credentials.token:
        headers[_TOKEN] = credentials.token
    names = sorted(headers)
    scope = _scope(time, region)
    asked = ["POST", "/", "", *(f"{name}:{headers[name]}" for name in names), "", ";".join(names), _hash(_BODY)]
    made = f"AWS4{credentials.secret_key}".encode()
    for part in (*scope.split("/"), "\n".join((_ALGORITHM, time, scope, _hash("\n".join(asked))))):
        made = hmac.digest(made, part.encode(), "sha256")  # the scope makes the key, what is asked the signature
    held = f"Credential={credentials.access_key}/{scope}, SignedHeaders={';'.join(names)}, Signature={made.hex()}"
    whole = {"authorization": f"{_ALGORITHM} {held}", **headers}
    return json.dumps({"method": "POST", "url": f"https://{host}/", "headers": whole, "body": _BODY})


def _scope(time: str, region: str) -> str:
    return f"{time[:8]}/{region}/sts/{_END}"


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def request_of(text: str, content: bytes, region: str) -> Request:
    """Read such a request over a claim's bytes, to the STS endpoint of a region. Raises `SignatureError`.

    Whether its signature is good is for STS to say.
    """
    if len(text) > _MOST:
        raise SignatureError(f"it is longer than {_MOST} characters")
    try:
        sent = _Sent.model_validate_json(text)
    except ValueError:
        raise SignatureError("it is no request: write method, url, headers and body, in JSON") from None
    host = sts_host(region)
    if "?" in sent.url:
        raise SignatureError("a presigned address is not taken: sign the headers")
    if sent.url != f"https://{host}/":
        raise SignatureError(f"it is for another place than {host}: sign for {region}")
    if sent.method != "POST" or sent.body != _BODY:
        raise SignatureError("it asks for something else than sts:GetCallerIdentity by POST")
    _look_at_headers(sent.headers, sha256(content).hexdigest(), region)
    return Request(sent.url, sent.headers, sent.body.encode())


def _look_at_headers(headers: dict[str, str], digest: str, region: str) -> None:
    if missing := sorted(_ALWAYS - set(headers)):
        raise SignatureError(f"it lacks headers: {', '.join(missing)} (names in small letters)")
    if set(headers) - _ALWAYS - {_TOKEN}:
        raise SignatureError(f"it carries other headers than {', '.join(sorted(_ALWAYS | {_TOKEN}))}")
    if headers["host"] != sts_host(region):
        raise SignatureError(f"it is for another host than {sts_host(region)}: sign for {region}")
    if headers[DIGEST_HEADER] != digest:
        raise SignatureError("it is not over this claim")
    if headers["content-type"] != _FORM:
        raise SignatureError(f"its content-type is not {_FORM}")
    if not _DATE.fullmatch(headers["x-amz-date"]):
        raise SignatureError("its x-amz-date is no time as Signature Version 4 writes it")
    if not _SESSION.fullmatch(headers.get(_TOKEN, "none")):
        raise SignatureError("its session token is not in base64")
    held = _AUTHORIZATION.fullmatch(headers["authorization"])
    if held is None:
        raise SignatureError(f"its authorization is none by {_ALGORITHM}")
    if held["scope"] != _scope(headers["x-amz-date"], region):
        raise SignatureError(f"it was signed for another day, region or service than its own, {region} and sts")
    if held["signed"].split(";") != sorted(set(headers) - {"authorization"}):
        raise SignatureError("not all of its headers are signed, each once and in order")
