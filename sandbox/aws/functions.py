"""The Lambda function that drills have break the account: moto would run one in a container, here it is part of it."""

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from re import fullmatch
from threading import Lock
from typing import Any
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from sandbox.faults.inject import FAULTS
from sandbox.faults.withdraw import withdraw
from sandbox.runtime.aws_world import FaultError, World

_INVOKE = r"/2015-03-31/functions/(.+)/invocations"
"""Lambda API, Invoke: its request's path."""


class Functions:
    """A WSGI application before AWS: it answers `Invoke`, and leaves everything else to what is behind it."""

    def __init__(self, behind: Callable[..., Iterable[bytes]], world: World) -> None:
        self._behind = behind
        self._world = world
        self._done: set[tuple[str, str]] = set()
        self._one_at_a_time = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        found = fullmatch(_INVOKE, request.path)
        if found is None or request.method != "POST":
            return self._behind(environ, start_response)
        return self.invoke(unquote(found[1]), request.get_data())(environ, start_response)

    def invoke(self, function: str, payload: bytes) -> Response:
        """What the environment names for faults injects and withdraws them, each once under an id of a drill.

        An unknown function is refused, one that fails is an answer of status 200 (Lambda API, Invoke).
        """
        environment = self._world.environment
        if function not in environment.faults.values():
            text = f"Function not found: {environment.arn('lambda', f'function:{function}')}"
            told = {"Type": "User", "Message": text}
            return _answer(told, HTTPStatus.NOT_FOUND, {"x-amzn-ErrorType": "ResourceNotFoundException"})
        asked = json.loads(payload)
        key = (str(asked["drill"]), str(asked["do"]))
        with self._one_at_a_time:
            if key in self._done:
                return _answer({"done": "before"})
            try:
                done = (FAULTS[asked["fault"]] if asked["do"] == "inject" else withdraw)(self._world)
            except FaultError as error:
                return _answer({"errorMessage": str(error)}, headers={"X-Amz-Function-Error": "Unhandled"})
            self._done.add(key)
        return _answer({"done": done})


def _answer(
    content: dict[str, Any], status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response:
    return Response(json.dumps(content), status, headers, mimetype="application/json")
