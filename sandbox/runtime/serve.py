"""The process that serves AWS and the status page; the supervisor runs `python -m sandbox.runtime.serve`."""

import argparse
import logging
import os
from datetime import timedelta
from pathlib import Path

from sandbox.aws import moto_speedups
from sandbox.runtime.outbox import Outbox


def main() -> None:
    """Read the supervisor's arguments and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runbooks", type=Path, required=True)
    parser.add_argument("--environment", required=True)
    parser.add_argument("--outbox", type=Path, required=True)
    parser.add_argument("--aws-port", type=int, required=True)
    parser.add_argument("--page-port", type=int, required=True)
    parser.add_argument("--codec-key", default="", help="a KMS key's alias to make, if any")
    parser.add_argument("--pace-seconds", type=float, default=1.0)
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    key = os.environ["STATUSPAGE_API_KEY"]
    pace = timedelta(seconds=given.pace_seconds)
    moto_speedups.install()  # before anything imports moto

    from sandbox.runtime.aws_server import serve
    from starters.files.organisation_folder import load_environment

    environment = load_environment(given.runbooks, given.environment)
    serve(environment, given.aws_port, given.page_port, Outbox(given.outbox), key, pace, given.codec_key)


if __name__ == "__main__":
    main()
