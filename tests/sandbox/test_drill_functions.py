"""The sandbox's AWS answers `Invoke` of the functions that its environment names by breaking itself, and mending."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from werkzeug.test import Client

from sandbox.aws.functions import Functions
from sandbox.runtime.aws_world import World
from tests.sandbox.worlds import rollouts_finish


def behind(_environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"AWS"]


@pytest.fixture
def ask(world: World) -> Callable[..., Any]:
    client = Client(Functions(behind, world))

    def invoke(do: str, fault: str, drill: str = "1", function: str = "axis-imaging-drill-faults") -> Any:
        payload = json.dumps({"do": do, "fault": fault, "drill": drill})
        return client.post(f"/2015-03-31/functions/{function}/invocations", data=payload)

    return invoke


@pytest.mark.parametrize("fault", ["outage-bad-deploy", "database-pool-exhaustion", "performance-cpu"])
def test_what_is_injected_is_withdrawn(world: World, ask: Callable[..., Any], fault: str) -> None:
    """Each once under an id; the account is well afterwards, whatever people did."""
    service = world.environment.services["backend"]
    load, deployed = world.rollouts(service).load, len(world.rollouts(service).deployments)
    assert ask("inject", fault).status_code == 200
    broken = (world.healthy(), world.rollouts(service).load, len(world.rollouts(service).deployments))
    assert broken != (True, load, deployed)
    assert ask("inject", fault).json == {"done": "before"}
    assert broken == (world.healthy(), world.rollouts(service).load, len(world.rollouts(service).deployments))
    ask("withdraw", fault)
    rollouts_finish()
    assert (world.healthy(), world.rollouts(service).load) == (True, load)
    assert ask("withdraw", fault).json == {"done": "before"}
    assert "before" not in ask("inject", fault, drill="2").json["done"]


def test_every_fault_of_the_environment_can_be_injected(world: World, ask: Callable[..., Any]) -> None:
    """It names none that this function does not know."""
    for number, fault in enumerate(world.environment.faults):
        assert ask("inject", fault, drill=str(number)).json["done"]


def test_an_unknown_function_is_refused_as_lambda_does(ask: Callable[..., Any]) -> None:
    answer = ask("inject", "outage-bad-deploy", function="other")
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (404, "ResourceNotFoundException")
    assert answer.json["Message"].startswith("Function not found: arn:aws:lambda:ap-southeast-2:123456789012:function:")


def test_everything_else_is_left_to_what_is_behind(world: World) -> None:
    client = Client(Functions(behind, world))
    assert client.get("/2015-03-31/functions/axis-imaging-drill-faults/invocations").data == b"AWS"
    assert client.post("/").data == b"AWS"
