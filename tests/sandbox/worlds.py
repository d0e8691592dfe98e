"""Environments for tests, and a way to finish rollouts at once."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from domain.config.environment import Environment
from sandbox.aws.rollout import PACE
from starters.files.organisation_folder import load_environment, shipped_folder

NEVER = timedelta(days=1)
AT_ONCE = timedelta.resolution

_ELB = "arn:aws:elasticloadbalancing:eu-central-1:444455556666"
OTHER: dict[str, Any] = {
    "name": "play",
    "kind": "sandbox",
    "account": "444455556666",
    "region": "eu-central-1",
    "ledger_table": "kiosk-ledger",
    "notifications": {"mail_sender": "ops@kiosk.example", "sms_sender": "Kiosk"},
    "status_page": {"page_id": "kiosk-page", "components": {"shop": "shop-1"}},
    "services": {
        "tills": {
            "cluster": "kiosk",
            "service": "tills",
            "family": "tills",
            "target_group_arn": f"{_ELB}:targetgroup/tills/1111222233334444",
            "log_group": "/kiosk/tills",
        }
    },
    "databases": {"replica": {"identifier": "kiosk-two", "max_connections": 90, "replica_of": "main"}},
    "networks": {"net": {"vpc_id": "vpc-0000000000000abcd"}},
    "load_balancers": {},
    "health": {"shop": {"url": "https://kiosk.example:8443/status/alive"}},
    "buckets": {"pages": "kiosk-pages"},
}
OTHER["databases"]["main"] = {"identifier": "kiosk-one", "max_connections": 90}


def shipped() -> Environment:
    return load_environment(shipped_folder(), "sandbox")


def other() -> Environment:
    """Another organisation's environment: every name, the account and the region differ from the shipped ones."""
    return Environment.model_validate(OTHER)


def other_folder(parent: Path) -> Path:
    """The same, as the folder that another organisation would write."""
    import yaml

    folder = parent / "kiosk"
    (folder / "environments").mkdir(parents=True)
    (folder / "environments" / "play.yaml").write_text(yaml.safe_dump(OTHER))
    organisation = yaml.safe_load((shipped_folder() / "organisation.yaml").read_text())
    organisation["id"] = "kiosk"
    (folder / "organisation.yaml").write_text(yaml.safe_dump(organisation))
    return folder


def rollouts_finish() -> None:
    """Let every rollout in progress be finished by the next read."""
    PACE.rollout = AT_ONCE
