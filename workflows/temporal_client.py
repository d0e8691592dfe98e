"""The connection to Temporal, by Temporal's own configuration: `temporal.toml` profiles and `TEMPORAL_*`.

It is here since workers and the command may both import this package: the domain knows no Temporal, and neither of the
two may import the other. No workflow imports it.
"""

import asyncio
import os
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig

_DEFAULT_ADDRESS = "localhost:7233"


def settings() -> ClientConnectConfig:
    """Read the configuration; raises `RuntimeError`, `ValueError` or `OSError` for one that cannot be read."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", _DEFAULT_ADDRESS)
    return config


def is_traced() -> bool:
    """Whether traces are to be sent; only then are their libraries worth loading."""
    return any(os.environ.get(f"OTEL_EXPORTER_OTLP_{name}") for name in ("ENDPOINT", "TRACES_ENDPOINT"))


async def connect(config: ClientConnectConfig, within: timedelta, **options: Any) -> Client:
    """Connect; every payload of ours is JSON, which workers read as models.

    Raises `TimeoutError` after `within`, and `RuntimeError` or `ValueError` like `Client.connect`.
    """
    async with asyncio.timeout(within.total_seconds()):
        return await Client.connect(**config, **options)
