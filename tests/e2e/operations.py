"""What a request to AWS asks for, by any of its protocols."""

import re
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit


def operation_of(request: BaseHTTPRequestHandler, body: bytes) -> str:
    """Name an operation as its protocol does: by header, by path, in the form, or by method and path.

    It is `<signing name>.<Operation>`, or `<signing name>.<METHOD> <path>` where AWS names it so.
    """
    signed = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", request.headers.get("Authorization", ""))
    service = signed[1] if signed else "http"
    path = urlsplit(request.path).path
    if target := request.headers.get("X-Amz-Target"):
        name = target.rpartition(".")[2]
    elif rpc := re.fullmatch(r"/service/\w+/operation/(\w+)", path):
        name = rpc[1]
    elif b"Action=" in body and "form" in request.headers.get("Content-Type", ""):
        name = parse_qs(body.decode())["Action"][0]
    else:
        name = f"{request.command} {path}"
    return f"{service}.{name}"


def key_of(request: BaseHTTPRequestHandler) -> str | None:
    """The access key that a request is signed with."""
    signed = re.search(r"Credential=([^/]+)/", request.headers.get("Authorization", ""))
    return signed[1] if signed else None
