"""Serves AWS and the status page: moto, patched and seeded, and the page beside it.

Listens on loopback only. The page's port answers only once everything is seeded; the supervisor waits for that.
"""

import os
import signal
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from domain.config.environment import Environment, StatusPage
from sandbox.aws.functions import Functions
from sandbox.aws.insights import add_insights
from sandbox.aws.install import install
from sandbox.runtime.aws_world import World
from sandbox.runtime.control import add_controls
from sandbox.runtime.outbox import Outbox
from sandbox.runtime.state import AWS_KEYS
from sandbox.seed.account import seed
from sandbox.seed.evidence_bucket import made_key
from sandbox.statuspage.api import application
from sandbox.statuspage.page import Page
from sandbox.statuspage.rate_limit import Limit
from sandbox.traffic import background

_HOST = "127.0.0.1"


def serve(
    environment: Environment,
    aws_port: int,
    page_port: int,
    outbox: Outbox,
    key: str,
    pace: timedelta,
    codec_key: str = "",
) -> None:
    """Serve until SIGTERM or SIGINT. Raises `OSError` if a port is in use."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    os.environ["MOTO_ACCOUNT_ID"] = environment.account
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # thousands of machine images that nothing here uses
    install(outbox, pace)
    world = World(environment, _clients(environment.region, aws_port))
    dispatcher = Functions(DomainDispatcherApplication(create_backend_app), world)
    aws = make_server(_HOST, aws_port, dispatcher, threaded=True, request_handler=MotoRequestHandler)
    _run(aws)  # before seeding, which goes through boto3 like everything else
    seed(world)
    if codec_key:
        made_key(world, codec_key)
    public = environment.status_page or StatusPage(page_id="none")
    page = Page(public.page_id, public.components.items())
    app = application(page, key, outbox, Limit())
    add_controls(app, world)
    add_insights(app, world)
    # last: an open port tells the supervisor that everything is seeded
    web = make_server(_HOST, page_port, app, threaded=True)
    _run(web)
    background.run_every_minute(world, stop)
    stop.wait()
    for server in (web, aws):
        server.shutdown()


def _run(server: BaseWSGIServer) -> None:
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()


def _clients(region: str, port: int) -> Any:
    """Make clients of this process's own AWS endpoint; each is made once."""
    session = boto3.Session(*AWS_KEYS, region_name=region)
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(  # type: ignore[call-overload]
                service,
                endpoint_url=f"http://{_HOST}:{port}",
                config=Config(retries={"mode": "standard", "total_max_attempts": 1}, proxies={}),
            )
        return made[service]

    return client
