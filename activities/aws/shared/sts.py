"""How STS is asked who has signed a request: sent as it was signed, by nobody's credentials but its own."""

from collections.abc import Mapping

import requests

from activities.action import Clients
from authority.aws_iam import MOST_ANSWER, Answer, Post

_TIMEOUT_SECONDS = (3.0, 15.0)
"""To connect, and between two pieces of an answer."""
_PIECE = 8192
_OF_ALL_REGIONS = "https://sts.amazonaws.com"
"""Where botocore finds STS when told to use the endpoints of old; it takes no signature for a region's own."""


def posting(clients: Clients) -> Post:
    """`post_to_sts`, by way of the endpoint that the worker's own clients have, such as one in its VPC.

    That is the one that was signed for, unless the worker's surroundings name another (`AWS_ENDPOINT_URL_STS`).
    """

    def post(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        endpoint = clients.client("sts").meta.endpoint_url.rstrip("/")
        return post_to_sts(url if endpoint == _OF_ALL_REGIONS else f"{endpoint}/", headers, body)

    return post


def post_to_sts(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Send a signed request on, once: what `authority.aws_iam.Post` says.

    Takes no redirect and no password of a `.netrc` file; of an answer it reads little more than `MOST_ANSWER` bytes.
    Raises `OSError` where STS cannot be reached or breaks off.
    """
    sending = requests.post(
        url,
        data=body,
        headers=dict(headers),
        auth=_as_it_is,
        allow_redirects=False,
        stream=True,
        timeout=_TIMEOUT_SECONDS,
    )
    with sending as answer:
        content = b""
        for piece in answer.iter_content(_PIECE):
            content += piece
            if len(content) > MOST_ANSWER:
                break
        return Answer(answer.status_code, content)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without this, requests would put what `.netrc` has for the host in the place of the signature."""
    return request
