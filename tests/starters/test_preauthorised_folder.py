"""What a folder's pre-authorisations come to: whatever became of the keys, for one step one at a time, and how many."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.config.preauthorisation import PreAuthorisation
from domain.values import limits
from starters.files.declarable import declarable, timely
from starters.files.loading import lint
from tests.preauthorising import carried, terms
from tests.starters.conftest import Incident
from tests.starters.test_cli_preauthorise import GIVE, SOON, Home, home, listed

__all__ = ["home"]  # for every test here
ISOLATE = ("data-breach", "isolate-network")
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
LATER = (datetime.fromisoformat(SOON) + timedelta(days=30)).isoformat(timespec="seconds")
GIVEN = ("--reason", "so it is")


def both(incident: Incident, home: Home, *given: str, until: str = SOON) -> str:
    said = home.says(incident, "cto", *given, "--until", until, *GIVEN, "--json")
    assert said.status == 0, said
    assert home.says(incident, "compliance-officer", "sign", said.json["id"]).status == 0
    return str(said.json["id"])


def revoke_key(incident: Incident, home: Home, whose: str, at: datetime) -> None:
    key = next(one["key"] for one in incident("identity", "list", "--json").json["keys"] if one["contact"] == whose)
    by = ("--as", "technical-manager", "--sign-with", str(home.keys["technical-manager"]))
    said = incident("identity", "revoke", key, "--at", at.isoformat(timespec="seconds"), *by)
    assert said.status == 0, said


def test_one_that_nobody_has_signed_any_more_begins_nothing(incident: Incident, home: Home) -> None:
    """Its only signer's key was revoked as of a time before: whatever is declared is declared, with the others."""
    other = both(incident, home, *ISOLATE)
    offered = home.offers(incident, by="compliance-officer")
    assert offered["lacking"] == ["cto"]
    revoke_key(incident, home, "compliance-officer", datetime.now(UTC) - timedelta(days=1))
    assert {one["id"]: one["state"] for one in listed(incident)} == {
        other: "compliance-officer must sign it first",
        offered["id"]: "cto and compliance-officer must sign it first",
    }
    for type_ in ("data-breach", "performance"):
        assert declarable(home.folder, type_, "sandbox", datetime.now(UTC))["preauthorisations"] == []
    said = incident("start", "data-breach", "--severity", "P0", "--title", "A breach", "--as", "cto")
    assert (said.status, "may begin by itself" in said.err) == (3, False), said


def test_a_step_has_one_at_a_time(incident: Incident, home: Home) -> None:
    """The next one begins when that ends, or once it is revoked."""
    first = both(incident, home, *GIVE)
    for given in ((), ("--most", "2"), ("--from", TOMORROW)):
        again = home.says(incident, "cto", *GIVE, *given, "--until", LATER, *GIVEN)
        assert (again.status, f"{first} stands for block-addresses until " in again.err) == (2, True), again
    second = both(incident, home, *GIVE, "--from", SOON, until=LATER)
    assert lint(home.folder) == []
    for at, stands in ((datetime.now(UTC), first), (datetime.fromisoformat(SOON), second)):
        (found,) = declarable(home.folder, "data-breach", "sandbox", at)["preauthorisations"]
        assert found["signed"][0]["claim"]["subject"].startswith(stands)
    assert home.says(incident, "cto", "revoke", first, *GIVEN, yes=False).status == 0
    assert home.says(incident, "cto", *GIVE, "--until", SOON, *GIVEN).status == 0


def test_two_for_one_step_are_told_by_line(incident: Incident, home: Home) -> None:
    """As two people may have offered them in two copies of the folder."""
    home.offers(incident)
    first = home.file.read_text()
    home.file.unlink()
    other = home.offers(incident, "--most", "2", by="compliance-officer")
    home.file.write_text(first + home.file.read_text().split("preauthorisations:\n")[1])
    one, two = listed(incident)
    (problem,) = lint(home.folder)
    assert problem.file == home.file
    assert problem.line is not None
    assert problem.line > len(first.splitlines())
    assert problem.field == "preauthorisations[1].says.step"
    said = f"block-addresses is pre-authorised then already, by {one['id']}; incident preauthorise revoke {two['id']}"
    assert (problem.message, two["id"]) == (said, other["id"])
    signed = home.says(incident, "compliance-officer", "sign", one["id"])
    assert (signed.status, f"{two['id']} stands for block-addresses" in signed.err) == (2, True)
    assert home.says(incident, "cto", "revoke", two["id"], *GIVEN, yes=False).status == 0
    assert lint(home.folder) == []


def document(**said: Any) -> dict[str, Any]:
    return carried(terms(**said)).model_dump(mode="json")


def test_only_what_finds_no_room_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is too big costs none of those behind it."""
    at = terms().since
    small, big, last = document(), document(reason="x" * 500), document(reason="the last")
    monkeypatch.setattr(limits, "PREAUTHORISATIONS", limits.size(small) + limits.size(last))
    assert timely([small, big, last], at) == [small, last]
    assert timely([small, last, big], at) == [small, last]
    assert timely([big, small, last], at) == [big]


def test_lint_names_what_a_declaration_has_no_room_for(
    incident: Incident, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether of its own type or of one that it opens, and not what is for another time or another type."""
    both(incident, home, *GIVE)
    second = both(incident, home, *ISOLATE)
    sizes = [
        limits.size(one)
        for one in declarable(home.folder, "data-breach", "sandbox", datetime.now(UTC))["preauthorisations"]
    ]
    assert len(sizes) == 2
    monkeypatch.setattr(limits, "PREAUTHORISATIONS", sum(sizes))
    assert lint(home.folder) == []
    monkeypatch.setattr(limits, "PREAUTHORISATIONS", sum(sizes) - 1)
    (problem,) = lint(home.folder)
    assert problem.field == "preauthorisations[2].says"
    assert "has no room for it beside those before it" in problem.message
    assert problem.message.endswith(f"incident preauthorise revoke {second}")
    assert home.says(incident, "cto", "revoke", second, *GIVEN, yes=False).status == 0
    given = ("--from", SOON)
    assert both(incident, home, *ISOLATE, *given, until=LATER) != second
    assert lint(home.folder) == []


def test_the_terms_say_nothing_of_one_incident() -> None:
    """A step begins by itself once in an incident anyway."""
    said = terms().model_dump(mode="json")
    assert set(said) == {"type", "step", "action", "environment", "set", "most", "reason", "since", "until"}
    with pytest.raises(ValueError, match="Extra inputs"):
        PreAuthorisation.model_validate({**said, "most_in_one": 1})
