"""The request that shows an AWS identity is one, to one place, signed as AWS's own library signs it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from authority.aws_requests import DIGEST_HEADER, request_of, signed, sts_host
from authority.ssh_signatures import SignatureError
from tests.authority.sts import REGION, real_sigv4

CLAIM = b'{"act":"approve","subject":"..."}'
AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SESSION = ReadOnlyCredentials("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2Vj+/=")
HOST = sts_host(REGION)
SIGV4 = real_sigv4()


@settings(max_examples=300)
@given(
    content=st.binary(max_size=64),
    secret=st.text("abcXYZ0189+/", min_size=1, max_size=40),
    token=st.none() | st.text("abcXYZ0189+/=", min_size=1, max_size=60),
    region=st.sampled_from(["ap-southeast-2", "eu-central-1", "cn-north-1", "us-gov-west-1"]),
)
def test_it_is_signed_as_by_botocore(content: bytes, secret: str, token: str | None, region: str) -> None:
    credentials = ReadOnlyCredentials("ASIAIOSFODNN7EXAMPLE", secret, token)
    mine = json.loads(signed(content, credentials, region, AT))
    kept = {name: mine["headers"][name] for name in ("content-type", DIGEST_HEADER)}
    theirs = AWSRequest("POST", mine["url"], headers=kept, data=mine["body"].encode())
    SIGV4(credentials, "sts", region).add_auth(theirs)
    # it takes the time of now: sign once more, for that
    at = datetime.strptime(theirs.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    again = json.loads(signed(content, credentials, region, at))["headers"]
    assert again["authorization"] == theirs.headers["Authorization"]
    assert again.get("x-amz-security-token") == theirs.headers.get("X-Amz-Security-Token") == token


def test_what_was_signed_is_what_is_sent() -> None:
    found = request_of(signed(CLAIM, SESSION, REGION, AT), CLAIM, REGION)
    assert found.url == "https://sts.ap-southeast-2.amazonaws.com/"
    assert found.body == b"Action=GetCallerIdentity&Version=2011-06-15"
    assert found.headers["host"] == HOST
    assert found.headers["x-amz-date"] == "20261123T030000Z"
    assert str(SESSION.secret_key) not in signed(CLAIM, SESSION, REGION, AT)


@pytest.mark.parametrize("credentials", [ReadOnlyCredentials(None, None, None), ReadOnlyCredentials("A", "", None)])
def test_who_has_not_signed_in_signs_nothing(credentials: ReadOnlyCredentials) -> None:
    with pytest.raises(ValueError, match="sign in first"):
        signed(CLAIM, credentials, REGION, AT)


def _sent(**changes: Any) -> str:
    """What was signed, with members and headers given otherwise; None takes one away."""
    sent = json.loads(signed(CLAIM, SESSION, REGION, AT))
    for name, value in changes.items():
        into = sent if name in sent else sent["headers"]
        into[name.replace("_", "-")] = value
    sent["headers"] = {name: value for name, value in sent["headers"].items() if value is not None}
    return json.dumps(sent)


def _authorization(old: str, new: str) -> str:
    held = json.loads(_sent())["headers"]["authorization"]
    assert old in held
    return str(held.replace(old, new))


PRESIGNED = f"https://{HOST}/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a presigned address": ({"url": PRESIGNED, "authorization": None}, "a presigned address is not taken"),
    "another host": ({"url": "https://sts.evil.example/", "host": "sts.evil.example"}, f"another place than {HOST}"),
    "the global host": ({"url": "https://sts.amazonaws.com/"}, f"for another place than {HOST}: sign for {REGION}"),
    "another region's": ({"url": "https://sts.eu-west-1.amazonaws.com/"}, f"another place than {HOST}"),
    "our host as a user's name": ({"url": f"https://{HOST}@evil.example/"}, f"another place than {HOST}"),
    "another port": ({"url": f"https://{HOST}:444/"}, f"another place than {HOST}"),
    "no TLS": ({"url": f"http://{HOST}/"}, f"another place than {HOST}"),
    "another path": ({"url": f"https://{HOST}/x"}, f"another place than {HOST}"),
    "another host in the header": ({"host": "sts.eu-west-1.amazonaws.com"}, f"it is for another host than {HOST}"),
    "GET": ({"method": "GET"}, "something else than sts:GetCallerIdentity by POST"),
    "another operation": ({"body": "Action=GetSessionToken&Version=2011-06-15"}, "something else than sts:GetCaller"),
    "an operation twice": (
        {"body": "Action=GetCallerIdentity&Version=2011-06-15&Action=AssumeRole"},
        "something else than sts:GetCaller",
    ),
    "one header more": ({"accept": "application/json"}, "it carries other headers than authorization, content-type"),
    "the payload's hash": ({"x_amz_content_sha256": "UNSIGNED-PAYLOAD"}, "it carries other headers than"),
    "a header in two": ({"Host": "sts.evil.example"}, "it carries other headers than"),
    "no digest": ({"x_incident_claim": None}, "it lacks headers: x-incident-claim"),
    "no signature": ({"authorization": None}, "it lacks headers: authorization"),
    "another digest": ({"x_incident_claim": "ab" * 32}, "it is not over this claim"),
    "two digests": ({"x_incident_claim": f"{'ab' * 32}, {'cd' * 32}"}, "it is not over this claim"),
    "another form": ({"content_type": "application/json"}, "its content-type is not application/x-www-form"),
    "another time's form": ({"x_amz_date": "2026-11-23T03:00:00Z"}, "its x-amz-date is no time"),
    "a token with a line": ({"x_amz_security_token": "a\r\nHost: evil"}, "its session token is not in base64"),
    "an empty token": ({"x_amz_security_token": ""}, "its session token is not in base64"),
    "no SigV4": ({"authorization": "Basic amFuZTpqYW5l"}, "its authorization is none by AWS4-HMAC-SHA256"),
    "SigV4a": (
        {"authorization": _authorization("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")},
        "its authorization is none by AWS4-HMAC-SHA256",
    ),
    "a line more": ({"authorization": _authorization("Credential", "Credential=a\nb")}, "its authorization is none"),
    "another service": ({"authorization": _authorization("/sts/", "/iam/")}, "another day, region or service"),
    "another region": ({"authorization": _authorization(REGION, "us-east-1")}, "another day, region or service"),
    "another day": ({"authorization": _authorization("20261123", "20261124")}, "another day, region or service"),
    "the digest unsigned": ({"authorization": _authorization(";x-incident-claim", "")}, "not all of its headers are"),
    "the host unsigned": ({"authorization": _authorization("host;", "")}, "not all of its headers are signed"),
    "the token unsigned": ({"authorization": _authorization("x-amz-security-token;", "")}, "not all of its headers"),
    "another order": ({"authorization": _authorization("content-type;host", "host;content-type")}, "and in order"),
    "a token that nobody signed": ({"x_amz_security_token": None}, "not all of its headers are signed"),
    "a header that is no text": ({"host": 7}, "it is no request"),
}


@pytest.mark.parametrize(("changes", "why"), REFUSED.values(), ids=REFUSED)
def test_others_are_refused_with_the_reason(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(SignatureError, match=why) as told:
        request_of(_sent(**changes), CLAIM, REGION)
    assert "evil" not in str(told.value)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", "[" * 8000, "\ud800", _sent()[:-1], _sent()[:-1] + ', "query": ""}', _sent() + " " * 8192],
)
def test_rubbish_is_refused(text: str) -> None:
    with pytest.raises(SignatureError):
        request_of(text, CLAIM, REGION)
