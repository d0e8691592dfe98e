"""`incident drill stop` is signed where the drill asks for it: the worker's own register proves who stops it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from activities import proofs
from domain.model.proofs import ClaimAsked, of_drill_stop
from starters.client import connection, drills
from starters.files.identities import load_identities
from starters.files.organisation_folder import load_environment, load_organisation
from tests.house import FixedHouse
from tests.starters.conftest import Incident
from tests.starters.enrolled import Enrolled, enrolled

RUN, WHY = "5e6f", "the office is on fire"
Sign = Callable[[dict[str, Any], str], dict[str, Any]]


class Caught:
    """What the command would have had done."""

    sign: Sign | None = None

    def run(self, what: Any, environment: str, incident: str | None, said: dict[str, Any], sign: Sign | None) -> Any:
        assert (what, said) == (drills.stop, {"by": "cto", "reason": WHY})
        self.sign = sign
        return {"incident": incident, "reason": f"stopped in {environment}"}


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> Caught:
    made = Caught()
    monkeypatch.setattr(connection, "run", made.run)
    return made


@pytest.fixture
def clinic(incident: Incident, tmp_path: Path) -> Enrolled:
    made = enrolled(incident, tmp_path, "cto")
    environments = made.folder / "environments"
    text = (environments / "sandbox.yaml").read_text(encoding="utf-8")
    text = text.replace("name: sandbox", "name: staging").replace("kind: sandbox", "kind: staging")
    (environments / "staging.yaml").write_text(text, encoding="utf-8")
    return made


def stop(incident: Incident, clinic: Enrolled) -> None:
    where = ("--environment", "staging", "--runbooks", str(clinic.folder), "--sign-with", str(clinic.keys["cto"]))
    said = incident("drill", "stop", "--reason", WHY, "--as", "cto", *where)
    assert (said.status, said.out) == (0, "The drill is over: stopped in staging\n"), said.err


def verdict(clinic: Enrolled, proof: Any, run: str = RUN, reason: str = WHY) -> str:
    """Why the worker's own look refuses it; empty where it is proven."""
    house = FixedHouse(load_environment(clinic.folder, "staging"), load_organisation(clinic.folder))
    house.keys = load_identities(clinic.folder, house.people.id)
    over = of_drill_stop("staging", run, reason)
    asked = ClaimAsked(environment="staging", incident=None, act="stop-drill", subject=over, by="cto", proof=proof)
    return proofs.check(house, asked, datetime.now(UTC)).reason


def test_it_is_signed_over_the_run_and_the_reason(incident: Incident, clinic: Enrolled, caught: Caught) -> None:
    stop(incident, clinic)
    assert caught.sign is not None
    proof = caught.sign({"by": "cto", "reason": WHY}, RUN)["proof"]
    assert verdict(clinic, proof) == ""
    assert verdict(clinic, proof, run="another") != ""
    assert verdict(clinic, proof, reason="another") != ""
    assert verdict(clinic, None) != ""
