"""The Lambda functions of the account, one that breaks it and one that counts: moto would run them in containers."""

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from re import fullmatch
from threading import Lock
from typing import Any
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from sandbox.aws.lambda_dry_run import is_dry
from sandbox.aws.row_counts import counted
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
        if found is None or request.method != "POST" or is_dry(request.headers):
            return self._behind(environ, start_response)
        return self.invoke(unquote(found[1]), request.get_data())(environ, start_response)

    def _names(self) -> set[str]:
        environment = self._world.environment
        counting = {environment.recovery.count_function} if environment.recovery else set()
        return {*environment.faults.values(), *counting}

    def _unknown(self, function: str) -> Response:
        text = f"Function not found: {self._world.environment.arn('lambda', f'function:{function}')}"
        told = {"Type": "User", "Message": text}
        return _answer(told, HTTPStatus.NOT_FOUND, {"x-amzn-ErrorType": "ResourceNotFoundException"})

    def invoke(self, function: str, payload: bytes) -> Response:
        """What the environment names for faults injects and withdraws them, each once under an id of a drill.

        An unknown function is refused, one that fails is an answer of status 200 (Lambda API, Invoke).
        """
        environment = self._world.environment
        if function not in self._names():
            return self._unknown(function)
        asked = json.loads(payload)
        if function not in environment.faults.values():
            return _told(lambda: counted(environment, asked))
        key = (str(asked["drill"]), str(asked["do"]))
        with self._one_at_a_time:
            if key in self._done:
                return _answer({"done": "before"})
            act = FAULTS[asked["fault"]] if asked["do"] == "inject" else withdraw
            told = _told(lambda: {"done": act(self._world)})
            if "X-Amz-Function-Error" not in told.headers:
                self._done.add(key)
        return told


def _told(run: Callable[[], dict[str, Any]]) -> Response:
    """What a function answers, or that it ended in an error."""
    try:
        return _answer(run())
    except FaultError as error:
        return _answer({"errorMessage": str(error)}, headers={"X-Amz-Function-Error": "Unhandled"})


def _answer(
    content: dict[str, Any], status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response:
    return Response(json.dumps(content), status, headers, mimetype="application/json")
