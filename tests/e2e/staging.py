"""Staging and production beside each other: an account each, and a wire before each that tells who came by."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.runtime.outbox import Outbox
from sandbox.runtime.state import Files
from starters.files.shipped import shipped_folder
from tests.e2e.account import snapshot
from tests.e2e.conftest import opened
from tests.e2e.house import House
from tests.e2e.keyring import keyring
from tests.e2e.wire import Trap, Wire, wire
from tests.organisations.folders import written

PRODUCTION, STAGING = "123456789012", "345678901234"
"""Their accounts. The shipped sandbox has the names of Axis Imaging's production, and is it here."""
KEY = "OFSTAGING"
"""The access key of all that is done in staging: moto takes any."""
_RENAMED = {
    "name: sandbox": "name: staging",
    "kind: sandbox": "kind: staging",
    PRODUCTION: STAGING,
    "-production": "-staging",
    "-prod/": "-staging/",
    "/production/": "/staging/",
}


class Places(NamedTuple):
    """The two sandboxes, and the wires before their AWS; only the wire leads to production."""

    staging: House
    production: House
    at_staging: Wire
    at_production: Wire

    def profiles(self, folder: Path) -> Path:
        """What stands in the file of whoever works in both: staging by default, and how production is reached."""
        file = folder / "aws-config"
        file.write_text(
            f"[default]\nregion = ap-southeast-2\nendpoint_url = {self.at_staging.url}\n"
            f"[profile production]\nregion = ap-southeast-2\nendpoint_url = {self.at_production.url}\n"
            "aws_access_key_id = OFPRODUCTION\naws_secret_access_key = secret\n",
            encoding="utf-8",
        )
        return file

    def named(self, text: str) -> Trap:
        """Tells by `sprung` whether any request to staging's AWS held a text, from now on."""
        self.at_staging.trap("*", "before", lambda: None, about=text)
        return self.at_staging.traps[-1]

    def of_production(self) -> dict[str, Any]:
        """All of production that a drill could touch, past the wire: resources, record, evidence, what was sent."""
        house = self.production
        table = house.aws("dynamodb").scan(TableName="axis-imaging-incident-ledger", ConsistentRead=True)
        versions = house.aws("s3").list_object_versions(Bucket="axis-imaging-evidence-production")
        return {
            **snapshot(house, ""),
            "ledger": table["Items"],
            "evidence": [one["Key"] for one in versions.get("Versions", [])],
            "sent": Outbox(Files(house.data_dir).outbox).entries(),
            "healthy": house.healthy(),
        }


def written_staging(folder: Path) -> Path:
    """A copy of the shipped organisation with a staging whose every name says so."""
    written(folder, source=shipped_folder())
    environments = folder / "environments"
    text = (environments / "sandbox.yaml").read_text(encoding="utf-8")
    for old, new in _RENAMED.items():
        assert old in text
        text = text.replace(old, new)
    (environments / "staging.yaml").write_text(text, encoding="utf-8")
    return folder


@contextmanager
def both(folder: Path) -> Iterator[Places]:
    """Start both, and lead every command and worker of staging by its wire."""
    with ExitStack() as stack:
        production = stack.enter_context(opened(House(folder / "production")))
        organisation = written_staging(folder / "axis-imaging")
        agent = stack.enter_context(keyring(organisation, folder / "keys"))
        staging = stack.enter_context(opened(House(folder / "staging"), *_arguments(organisation)))
        wires = [stack.enter_context(wire(house.variables["AWS_ENDPOINT_URL"])) for house in (staging, production)]
        places = Places(staging, production, *wires)
        staging.variables |= {
            "AWS_ENDPOINT_URL": places.at_staging.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_CONFIG_FILE": str(places.profiles(folder)),
            "SSH_AUTH_SOCK": agent,
        }
        yield places


def _arguments(organisation: Path) -> tuple[str, ...]:
    """Outside a sandbox what Temporal carries is encrypted, and people prove who they are."""
    return "--encrypt", "--runbooks", str(organisation), "--environment", "staging"


@contextmanager
def alone(folder: Path) -> Iterator[House]:
    """Start staging alone, everybody's keys in an agent."""
    organisation = written_staging(folder / "axis-imaging")
    with (
        keyring(organisation, folder / "keys") as agent,
        opened(House(folder / "staging"), *_arguments(organisation)) as house,
    ):
        house.variables |= {"SSH_AUTH_SOCK": agent}
        yield house
