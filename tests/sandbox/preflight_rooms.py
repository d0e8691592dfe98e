"""What preflight's looks are given in the sandbox, with a status page and health endpoints that answer."""

import logging
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from activities.preflight.check import Room
from activities.statuspage_client import StatusPageClient
from domain.config.environment import Environment
from sandbox.runtime.outbox import Outbox
from sandbox.statuspage.api import application
from sandbox.statuspage.page import Page
from sandbox.statuspage.rate_limit import Limit
from starters.files.organisation_folder import load_organisation
from starters.files.shipped import shipped_folder
from tests.aws import aws_clients
from tests.sandbox.worlds import shipped

KEY = "key"


def room_of(environment: Environment, off: timedelta = timedelta(), acting: Any = None, clients: Any = None) -> Room:
    """A room in an environment, with this machine's clock `off`."""
    clients = clients or aws_clients(environment.region)
    health = {name: one.model_copy(update={"url": f"{served()}/health"}) for name, one in environment.health.items()}
    return Room(
        clients,
        environment.model_copy(update={"health": health}),
        load_organisation(shipped_folder()),
        lambda: datetime.now(UTC) + off,
        acting or (lambda _: clients),
        StatusPageClient(served(), KEY, interval=timedelta(0)),
    )


@cache
def served() -> str:
    """Where the page is served, for as long as this process is there."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, _page(), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.port}"


def _page() -> Flask:
    told = shipped().status_page
    assert told
    outbox = Outbox(Path(mkdtemp()) / "outbox.jsonl")
    app = application(Page(told.page_id, told.components.items()), KEY, outbox, Limit(window_seconds=0))
    app.add_url_rule("/health", "health", lambda: ("", 204))
    app.add_url_rule("/failing", "failing", lambda: ("", 503))
    return app
