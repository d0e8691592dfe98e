"""A signed `sts:GetCallerIdentity` proves the claim whose digest it carries, by whom STS knows; nothing else does.

STS is moto, which looks at each signature and not at its age: what is signed too long ago is refused by AWS alone.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from authority.aws_iam import (
    MOST_ANSWER,
    Answer,
    IdentityError,
    Post,
    StsUnavailableError,
    person_of_arn,
    verify,
)
from authority.aws_requests import DIGEST_HEADER, signed
from authority.ssh_signatures import SignatureError
from tests.authority.sts import ACCOUNT, REGION, SSO_ROLE, Sts, listening

CLAIM = b'{"act":"approve","subject":"..."}'
AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
JANE = f"arn:aws:sts::{ACCOUNT}:assumed-role/{SSO_ROLE}/jane@axis-imaging.example"
USER, OTHER = (f"arn:aws:iam::{ACCOUNT}:user/responder-{number}" for number in (0, 1))
SIGNERS = pytest.mark.parametrize("arn", [JANE, USER], ids=["session", "user"])
MADE_UP = ReadOnlyCredentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None)


@pytest.fixture(scope="module")
def sts() -> Iterator[Sts]:
    with listening() as one:
        yield one


def unasked(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    raise AssertionError("STS was asked")


def altered(text: str, change: Callable[[dict[str, Any]], object]) -> str:
    sent = json.loads(text)
    change(sent)
    return json.dumps(sent)


@SIGNERS
def test_who_signed_is_known(sts: Sts, arn: str) -> None:
    """A user by key alone, a session by its token too. Asked again, STS says the same."""
    text = signed(CLAIM, sts.known[arn], REGION, AT)
    assert [verify(text, CLAIM, arn, REGION, sts.post) for _ in range(2)] == [(arn, None, None)] * 2


@SIGNERS
def test_others_prove_nothing(sts: Sts, arn: str) -> None:
    """Another's signature, a made-up key, another's secret: each is told apart."""
    other = sts.known[OTHER]
    with pytest.raises(SignatureError, match=f"it is by another identity: {OTHER}"):
        verify(signed(CLAIM, other, REGION, AT), CLAIM, arn, REGION, sts.post)
    with pytest.raises(SignatureError, match="STS refuses it: AWS knows no such access key"):
        verify(signed(CLAIM, MADE_UP, REGION, AT), CLAIM, arn, REGION, sts.post)
    mine = sts.known[arn]
    forged = ReadOnlyCredentials(mine.access_key, other.secret_key, mine.token)
    with pytest.raises(SignatureError, match="STS refuses it: its signature does not match"):
        verify(signed(CLAIM, forged, REGION, AT), CLAIM, arn, REGION, sts.post)


def test_another_session_of_the_role_is_another_person(sts: Sts) -> None:
    for arn in (JANE.replace("jane@", "jan@"), JANE.replace("abcdef/", "abcde0/"), JANE.replace(ACCOUNT, "1" * 12)):
        with pytest.raises(SignatureError, match="it is by another identity"):
            verify(signed(CLAIM, sts.known[JANE], REGION, AT), CLAIM, person_of_arn(arn), REGION, sts.post)


def test_a_token_is_of_its_session(sts: Sts) -> None:
    held = sts.known[JANE]
    without = ReadOnlyCredentials(held.access_key, held.secret_key, None)
    borrowed = ReadOnlyCredentials(held.access_key, held.secret_key, "A" + (held.token or "")[1:] + "A")
    for credentials in (without, borrowed):
        with pytest.raises(SignatureError, match="STS refuses it: AWS knows no such access key or session"):
            verify(signed(CLAIM, credentials, REGION, AT), CLAIM, JANE, REGION, sts.post)


def test_the_digest_is_among_what_is_signed(sts: Sts) -> None:
    """Put over another claim, the request looks well, and STS finds that it was signed over the first."""
    first, second = (signed(content, sts.known[JANE], REGION, AT) for content in (CLAIM, CLAIM + b" "))
    digest = json.loads(second)["headers"][DIGEST_HEADER]
    moved = altered(first, lambda sent: sent["headers"].update({DIGEST_HEADER: digest}))
    with pytest.raises(SignatureError, match="it is not over this claim"):
        verify(first, CLAIM + b" ", JANE, REGION, unasked)
    with pytest.raises(SignatureError, match="STS refuses it: its signature does not match"):
        verify(moved, CLAIM + b" ", JANE, REGION, sts.post)


@SIGNERS
@settings(max_examples=300)
@given(data=st.data())
def test_no_other_request_is_taken(sts: Sts, arn: str, data: st.DataObject) -> None:
    """One character of any header changed for another: of key, scope, time, session, signature, or what is fixed."""
    text = signed(CLAIM, sts.known[arn], REGION, AT)
    headers = json.loads(text)["headers"]
    where = data.draw(st.sampled_from(["authorization", *sorted(headers)]))
    value = headers[where]
    at = data.draw(st.integers(0, len(value) - 1))
    by = data.draw(st.sampled_from("0123456789abcdefABCDEF-/;, ").filter(lambda one: one != value[at]))
    changed = altered(text, lambda sent: sent["headers"].update({where: value[:at] + by + value[at + 1 :]}))
    with pytest.raises(SignatureError):
        verify(changed, CLAIM, arn, REGION, sts.post)


PEOPLE = {
    "an IAM user": f"arn:aws:iam::{ACCOUNT}:user/jane",
    "one on a path": f"arn:aws:iam::{ACCOUNT}:user/responders/night/jane",
    "a session of AWS SSO": JANE,
    "one in another partition": JANE.replace("arn:aws:", "arn:aws-us-gov:"),
}


@pytest.mark.parametrize("arn", PEOPLE.values(), ids=PEOPLE)
def test_people_have_arns(arn: str) -> None:
    assert person_of_arn(arn) == arn


NOBODY = {
    "a role": f"arn:aws:iam::{ACCOUNT}:role/{SSO_ROLE}",
    "a session that anybody names": f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/jane",
    "a role that is named nearly so": JANE.replace("0123456789abcdef", "0123456789abcde"),
    "every session": JANE.replace("jane@axis-imaging.example", "*"),
    "every suffix": JANE.replace("0123456789abcdef", "*"),
    "an account's root": f"arn:aws:iam::{ACCOUNT}:root",
    "a federated user": f"arn:aws:sts::{ACCOUNT}:federated-user/jane",
    "no account": "arn:aws:iam::jane:user/jane",
    "a line more": f"{JANE}\n",
    "letters that look alike": JANE.replace("jane", "jаne"),  # noqa: RUF001 - a Cyrillic letter
    "nothing": "",
    "too long": f"arn:aws:iam::{ACCOUNT}:user/{'a/' * 100}jane",
}


@pytest.mark.parametrize("arn", NOBODY.values(), ids=NOBODY)
def test_other_arns_are_nobodys(arn: str) -> None:
    with pytest.raises(IdentityError):
        person_of_arn(arn)


def answering(status: int, body: bytes) -> Post:
    return lambda *_: Answer(status, body)


STS = "https://sts.amazonaws.com/doc/2011-06-15/"


def refusal(code: str) -> bytes:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code></Error>"
    return f'<ErrorResponse xmlns="{STS}">{error}</ErrorResponse>'.encode()


def naming(
    *arns: str, xmlns: str = STS, response: str = "GetCallerIdentity", result: str = "GetCallerIdentity"
) -> bytes:
    found = "".join(f"<Arn>{arn}</Arn>" for arn in arns)
    inner = f"<{result}Result>{found}</{result}Result>"
    return f'<{response}Response xmlns="{xmlns}">{inner}</{response}Response>'.encode()


UNSAID = {
    "a fault of its own": (500, refusal("InternalFailure"), "answered 500 InternalFailure"),
    "too busy": (503, refusal("ServiceUnavailable"), "answered 503 ServiceUnavailable"),
    "a refusal with a fault": (500, refusal("SignatureDoesNotMatch"), "answered 500 SignatureDoesNotMatch"),
    "throttled": (400, refusal("Throttling"), "answered 400 Throttling"),
    "throttled by status": (429, b"", "answered 429"),
    "an endpoint's policy": (403, refusal("AccessDenied"), "answered 403 AccessDenied"),
    "a proxy": (403, b"<html><p>Sign in to the network</html>", "answered 403"),
    "a proxy's page instead": (200, b"<html>Sign in to the network</html>", "answered 200"),
    "elsewhere": (302, naming(JANE), "answered 302"),
    "nobody": (200, naming(), "answered 200"),
    "two": (200, naming(JANE, JANE), "answered 200"),
    "another notation": (200, naming(JANE, xmlns="https://evil.example/"), "answered 200"),
    "another operation's answer": (200, naming(JANE, response="AssumeRole"), "answered 200"),
    "another operation's result": (200, naming(JANE, result="AssumeRole"), "answered 200"),
    "a name that is no ARN": (200, naming("jane"), "answered 200"),
    "JSON": (200, json.dumps({"GetCallerIdentityResponse": {"Arn": JANE}}).encode(), "answered 200"),
    "a document type": (200, b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + naming(JANE), "answered 200"),
    "one in another encoding": (200, naming(JANE).decode().encode("utf-16"), "answered 200"),
    "a fault with a text as its code": (500, refusal("Ignore the above"), "answered 500$"),
    "very much": (200, naming(JANE) + b" " * MOST_ANSWER, f"more than {MOST_ANSWER} bytes"),
}


@pytest.mark.parametrize(("status", "body", "told"), UNSAID.values(), ids=UNSAID)
def test_what_sts_does_not_say_is_neither_proof_nor_refusal(status: int, body: bytes, told: str) -> None:
    """It may be asked again: the error is of its own kind."""
    text = signed(CLAIM, MADE_UP, REGION, AT)
    assert verify(text, CLAIM, JANE, REGION, answering(200, naming(JANE))).arn == JANE
    with pytest.raises(StsUnavailableError, match=told):
        verify(text, CLAIM, JANE, REGION, answering(status, body))


SAID = {"ExpiredToken": "the session that signed it has ended", "IncompleteSignature": "its signature is not whole"}


@pytest.mark.parametrize(("code", "why"), SAID.items())
def test_what_sts_refuses_is_refused(code: str, why: str) -> None:
    with pytest.raises(SignatureError, match=why):
        verify(signed(CLAIM, MADE_UP, REGION, AT), CLAIM, JANE, REGION, answering(403, refusal(code)))
