"""Tell whether the application answers on its health endpoint."""

from datetime import datetime
from typing import Any

import requests

from activities.action import EndpointName, Params, ProbeAction
from activities.aws.shared.findings import suspect_if
from domain.config.environment import HealthCheck
from domain.model.calls import Scope
from domain.model.finding import Finding


class HealthEndpointParams(Params):
    endpoint: EndpointName


class HealthEndpoint(ProbeAction[HealthEndpointParams]):
    """Sends GET requests to a health endpoint, as many as its `attempts`; any answer but 2xx is a failure.

    Suspect when all fail; one failure among successes is reported, not held against it. A redirect counts as a
    failure, as it may lead to a login page that answers 200. The answers' bodies are not read.
    """

    name = "http.health"

    def observe(self, scope: Scope, params: HealthEndpointParams, at: datetime) -> Finding:  # noqa: ARG002
        check = scope.environment.health[params.endpoint]
        tries = [attempt(check) for _ in range(check.attempts)]
        failed = [one for one in tries if not one["ok"]]
        facts = {"endpoint": params.endpoint, "attempts": tries, "failed": len(failed)}
        return suspect_if(len(failed) == len(tries), _summary(params.endpoint, tries, failed), facts, check.url)


def attempt(check: HealthCheck) -> dict[str, Any]:
    """One request: whether it was answered by 2xx, and the status, or what kind of error came instead."""
    try:
        with requests.get(check.url, timeout=check.timeout_seconds, allow_redirects=False, stream=True) as answer:
            return {
                "ok": 200 <= answer.status_code < 300,
                "status": answer.status_code,
                "seconds": round(answer.elapsed.total_seconds(), 3),
            }
    except requests.RequestException as error:
        return {"ok": False, "error": type(error).__name__}


def _summary(endpoint: str, tries: list[dict[str, Any]], failed: list[dict[str, Any]]) -> str:
    why = ", ".join(dict.fromkeys(str(one.get("status") or one["error"]) for one in failed))
    if len(failed) == len(tries):
        return f"{endpoint}: all {len(tries)} requests failed ({why})"
    slowest = max(one["seconds"] for one in tries if one["ok"])
    if failed:
        return f"{endpoint}: {len(failed)} of {len(tries)} requests failed ({why}); the others took up to {slowest:g} s"
    return f"{endpoint}: all {len(tries)} requests answered, the slowest in {slowest:g} s"
