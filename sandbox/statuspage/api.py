"""A local status page with Statuspage's REST API, version 1: incidents and components of one page.

As in Statuspage: no idempotency keys, one request a second for each token, `metadata` stored as given. Every post goes
to the outbox. Everything is kept in memory.
"""

import re
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, NotFound, Unauthorized, UnprocessableEntity

from activities.statuspage import OURS
from sandbox.runtime.outbox import Outbox
from sandbox.statuspage.page import InvalidPostError, Page
from sandbox.statuspage.rate_limit import Limit

_MOST_LISTED = 100
_METHOD_FAILURE = 420  # what Statuspage answers to a throttled request, instead of 429


def application(page: Page, key: str, outbox: Outbox, limit: Limit) -> Flask:
    """Make the web application: 401 for a wrong key, 404 for an unknown id, 422 for an invalid post."""
    app = Flask("statuspage")
    app.register_error_handler(HTTPException, _error_response)
    app.register_error_handler(InvalidPostError, lambda error: _error_response(UnprocessableEntity(str(error))))
    app.json.sort_keys = False  # type: ignore[attr-defined]

    @app.before_request
    def admit() -> Response | None:
        """Require the header `Authorization: OAuth <key>`, and enforce the rate limit."""
        if not request.path.startswith("/v1/"):
            return None
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "OAuth" or token.strip() != key:
            raise Unauthorized("Could not authenticate")
        if (wait_seconds := limit.take(token)) > 0:
            return _throttled(wait_seconds)
        return None

    _incident_routes(app, page, outbox)
    _component_routes(app, page)
    return app


def _incident_routes(app: Flask, page: Page, outbox: Outbox) -> None:
    @app.get("/v1/pages/<page_id>/incidents")
    def listed(page_id: str) -> Response:
        _require(page, page_id)
        size = min(request.args.get("limit", _MOST_LISTED, int), _MOST_LISTED)
        start = size * (max(request.args.get("page", 1, int), 1) - 1)
        return jsonify(page.found(request.args.get("q", ""))[start : start + size])

    @app.get("/v1/pages/<page_id>/incidents/unresolved")
    def unresolved(page_id: str) -> Response:
        _require(page, page_id)
        return jsonify(page.unresolved())

    @app.get("/v1/pages/<page_id>/incidents/<incident_id>")
    def shown(page_id: str, incident_id: str) -> Response:
        return jsonify(_incident(page, page_id, incident_id))

    @app.post("/v1/pages/<page_id>/incidents")
    def created(page_id: str) -> tuple[Response, int]:
        _require(page, page_id)
        post = _posted("incident")
        incident = page.create(post)
        _deliver(outbox, incident, post)
        return jsonify(incident), 201

    @app.route("/v1/pages/<page_id>/incidents/<incident_id>", methods=["PATCH", "PUT"])
    def updated(page_id: str, incident_id: str) -> Response:
        incident = _incident(page, page_id, incident_id)
        post = _posted("incident")
        incident = page.update(incident, post)
        _deliver(outbox, incident, post)
        return jsonify(incident)


def _component_routes(app: Flask, page: Page) -> None:
    @app.get("/v1/pages/<page_id>/components")
    def components(page_id: str) -> Response:
        _require(page, page_id)
        return jsonify(list(page.components.values()))

    @app.route("/v1/pages/<page_id>/components/<component_id>", methods=["PATCH", "PUT"])
    def component(page_id: str, component_id: str) -> Response:
        _require(page, page_id)
        if component_id not in page.components:
            raise NotFound("Record not found")
        return jsonify(page.set_component(component_id, _posted("component").get("status")))


def _deliver(outbox: Outbox, incident: dict[str, Any], post: dict[str, Any]) -> None:
    outbox.deliver(
        channel="statuspage",
        to=incident["page_id"],
        role="public",
        subject=f"{incident['name']}: {incident['status']}",
        body=post.get("body") or "",
        incident=incident["metadata"].get(OURS, {}).get("incident_id"),
    )


def _require(page: Page, page_id: str) -> None:
    if page_id != page.id:
        raise NotFound("Record not found")


def _incident(page: Page, page_id: str, incident_id: str) -> dict[str, Any]:
    _require(page, page_id)
    if incident_id not in page.incidents:
        raise NotFound("Record not found")
    return page.incidents[incident_id]


def _posted(kind: str) -> dict[str, Any]:
    """Read the body's `kind`: JSON, or the form fields `kind[name]` that `curl -d` sends."""
    if request.is_json:
        document = request.get_json(silent=True)
        post = document.get(kind) if isinstance(document, dict) else None
    else:
        written = re.compile(rf"{kind}\[(\w+)\]")
        post = {found[1]: value for name, value in request.form.items() if (found := written.fullmatch(name))}
    if not isinstance(post, dict) or not post:
        raise UnprocessableEntity(f"{kind} is missing")
    return post


def _error_response(error: HTTPException) -> Response:
    """Answer an error as Statuspage does: with a text, or for an invalid post with a list of texts."""
    texts: Any = [error.description] if isinstance(error, UnprocessableEntity) else error.description
    answer = jsonify({"error": texts})
    answer.status_code = error.code or 500
    return answer


def _throttled(wait_seconds: int) -> Response:
    answer = jsonify({"error": "You have exceeded the rate limit of 1 request a second"})
    answer.status_code = _METHOD_FAILURE
    answer.headers["Retry-After"] = str(wait_seconds)
    return answer
