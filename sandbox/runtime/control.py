"""The portal's health check and the sandbox's own controls, served on the status page's port."""

from urllib.parse import urlsplit

from flask import Flask, Response, jsonify
from werkzeug.exceptions import NotFound

from sandbox.faults.inject import FAULTS
from sandbox.runtime.aws_world import FaultError, World


def add_controls(app: Flask, world: World) -> None:
    """Add the health checks, `/sandbox/ready` and `/sandbox/faults/<name>`.

    `/health` and every health check path of the environment answer 200, or 503 while a service is unhealthy.
    """
    checked = (urlsplit(check.url).path for check in world.environment.health.values())

    def health() -> tuple[Response, int]:
        well = world.healthy()
        return jsonify({"status": "ok" if well else "failing"}), 200 if well else 503

    for path in dict.fromkeys(["/health", *filter(None, checked)]):
        app.add_url_rule(path, "health", health)

    @app.get("/sandbox/ready")
    def ready() -> Response:
        return jsonify({"ready": True})

    @app.post("/sandbox/faults/<name>")
    def inject(name: str) -> tuple[Response, int]:
        """Inject a fault; a repeat injects it again. 404 for an unknown fault, 409 where it cannot be injected."""
        if name not in FAULTS:
            raise NotFound(f"unknown fault {name!r}")
        try:
            return jsonify({"fault": name, "done": FAULTS[name](world)}), 200
        except FaultError as error:
            return jsonify({"error": str(error)}), 409
