"""Lambda's dry runs: whether a function would be run, without running it (Lambda API, `Invoke`: status 204)."""

from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from moto.awslambda.responses import LambdaResponse

from sandbox.aws.moto_patch import patch

_invoke = LambdaResponse.invoke


def install() -> None:
    """Patch moto with this operation."""
    patch(LambdaResponse, invoke=invoke)


def invoke(response: LambdaResponse) -> Any:
    """Moto would run the function in a container; one that it does not know is refused either way."""
    if not is_dry(response.headers):
        return _invoke(response)
    response.backend.get_function(unquote(response.path.rsplit("/", 2)[-2]), None)
    return HTTPStatus.NO_CONTENT.value, {}, ""


def is_dry(headers: Any) -> bool:
    """Whether a request only asks whether the function would be run."""
    return bool(headers.get("X-Amz-Invocation-Type") == "DryRun")
