"""`incident preauthorise`: one offers, another of each role signs, anybody of these revokes; `ssh-keygen` makes it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.values.words import in_words
from starters.files.loading import lint
from tests.starters.conftest import Incident, Said
from tests.starters.enrolled import Enrolled, enrolled
from tests.starters.vaulted import Vaulted

SOON = (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="seconds")
GIVE = ("data-breach", "block-addresses", "--set", "addresses=198.51.100.7,198.51.100.8")


class Home(Enrolled):
    """Its people, and the command as one of them says it."""

    def says(self, incident: Incident, by: str, *arguments: str, yes: bool = True) -> Said:
        sign = ("--sign-with", str(self.keys[by]), "--as", by, *(("--yes",) if yes else ()))
        return incident("preauthorise", *arguments, *sign)

    def offers(self, incident: Incident, *more: str, by: str = "cto") -> Any:
        said = self.says(incident, by, *GIVE, "--until", SOON, "--reason", "scanners", *more, "--json")
        assert said.status == 0, said
        return said.json

    @property
    def file(self) -> Path:
        return self.folder / "preauthorisations.yaml"


@pytest.fixture
def home(incident: Incident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(*enrolled(incident, tmp_path, "technical-manager", "cto", "compliance-officer"))
    monkeypatch.setenv("INCIDENT_RUNBOOKS", str(made.folder))
    return made


def listed(incident: Incident) -> Any:
    return incident("preauthorise", "list", "--json").json


def test_both_sign_and_it_is_in_force(incident: Incident, home: Home) -> None:
    """What is signed is shown, with its words; what is lacking is said, and what to type next."""
    first = home.says(incident, "cto", *GIVE, "--until", SOON, "--reason", "known scanners", "--most", "3")
    assert first.status == 0, first
    (one,) = listed(incident)
    words = in_words(one["digest"])
    assert first.out.startswith(f"cto has offered {one['id']} ({words}): compliance-officer must sign it first.\n")
    assert f"then as compliance-officer: incident preauthorise sign {one['id']}" in first.out
    for line in (
        "Begins     block-addresses (wafv2.block_addresses) of data-breach, in sandbox\n",
        "With       addresses=198.51.100.7,198.51.100.8\n",
        "At most    3 times in all, once in an incident\n",
        "Reason     known scanners\n",
        f"Words      {words}\n",
        "Signed by  nobody yet\n",
    ):
        assert line in first.err
    assert (one["in_force"], one["lacking"]) == (False, ["compliance-officer"])
    second = home.says(incident, "compliance-officer", "sign", one["id"][:4])
    assert second.status == 0, second
    assert f"compliance-officer has signed {one['id']} ({words}): it is in force.\n" in second.out
    assert "Signed by  cto\n" in second.err
    (now,) = listed(incident)
    assert ([each["by"] for each in now["signed"]], now["lacking"]) == (["cto", "compliance-officer"], [])
    assert (now["state"], now["most"]) == ("in force", 3)
    table = incident("preauthorise", "list").out
    assert "data-breach" in table
    assert "in force" in table
    assert lint(home.folder) == []


def test_the_same_again_signs_nothing(incident: Incident, home: Home) -> None:
    one = home.offers(incident)
    before = home.file.read_bytes()
    again = home.says(incident, "cto", "sign", one["id"])
    assert (again.status, f"cto has already signed {one['id']}" in again.out) == (0, True)
    assert home.file.read_bytes() == before


def test_any_one_of_them_revokes_it_for_good(incident: Incident, home: Home) -> None:
    one = home.offers(incident)
    assert home.says(incident, "compliance-officer", "sign", one["id"]).status == 0
    gone = home.says(incident, "compliance-officer", "revoke", one["id"], "--reason", "they have gone", yes=False)
    assert gone.status == 0, gone
    assert f"has revoked {one['id']}" in gone.out
    (now,) = listed(incident)
    assert (now["in_force"], now["state"]) == (False, "compliance-officer has revoked it: they have gone")
    before = home.file.read_bytes()
    again = home.says(incident, "cto", "revoke", one["id"], "--reason", "again", yes=False)
    assert (again.status, f"{one['id']} ({in_words(one['digest'])}) was revoked already: " in again.out) == (0, True)
    assert home.file.read_bytes() == before
    assert lint(home.folder) == []


def test_nobody_else_revokes_it(incident: Incident, home: Home) -> None:
    """And they are told who may."""
    one = home.offers(incident)
    said = home.says(incident, "technical-manager", "revoke", one["id"], "--reason", "no", yes=False)
    why = "technical-manager may not revoke a pre-authorisation; cto and compliance-officer may"
    assert (said.status, why in said.err) == (1, True), said
    assert [each["state"] for each in listed(incident)] == ["compliance-officer must sign it first"]


def test_what_is_revoked_is_not_signed_any_more(incident: Incident, home: Home) -> None:
    one = home.offers(incident)
    home.says(incident, "cto", "revoke", one["id"], "--reason", "a mistake", yes=False)
    said = home.says(incident, "compliance-officer", "sign", one["id"])
    assert (said.status, f"{one['id']} is over: cto has revoked it: a mistake" in said.err) == (1, True)


def test_the_file_says_what_was_signed(incident: Incident, home: Home) -> None:
    """The first entry what is allowed, the claims whose it is, and until when."""
    one = home.offers(incident)
    home.says(incident, "compliance-officer", "sign", one["id"])
    first, second = yaml.safe_load(home.file.read_text())["preauthorisations"]
    assert first["says"]["set"] == {"addresses": ["198.51.100.7", "198.51.100.8"]}
    assert "says" not in second
    for entry, by in ((first, "cto"), (second, "compliance-officer")):
        claim = entry["claim"]
        said = (claim["act"], claim["by"], claim["subject"], claim["expires"], claim["step"])
        assert said == ("pre-authorise", by, one["digest"], one["until"], "block-addresses")


REFUSED: list[tuple[tuple[str, ...], int, str]] = [
    (("data-breach", "nothing"), 2, "unknown change of data-breach 'nothing'"),
    (("data-breach", "study-access"), 2, "unknown change of data-breach 'study-access'"),
    (("data-breach", "snapshot-database"), 2, "snapshot-database preserves evidence, which begins by itself anyway"),
    (("data-breach", "block-addresses"), 2, "block-addresses needs addresses: name them with --set"),
    (("data-breach", "isolate-network", "--set", "web_acl=x"), 2, "isolate-network does not ask for 'web_acl'"),
    (("database", "promote-replica"), 2, "which nobody pre-authorises"),
    (("nothing", "rollback"), 2, "unknown incident type 'nothing'"),
    (("data-breach", "block-addresses", "--set", "addresses=here"), 2, "--set addresses"),
    ((*GIVE, "--most", "51"), 2, "--most"),
    ((*GIVE, "--from", "2020-01-01T00:00:00Z"), 2, "--from 2020-01-01T00:00:00Z must be to come"),
    ((*GIVE, "--from", SOON), 2, "until must be after since"),
]


@pytest.mark.parametrize(("arguments", "status", "why"), REFUSED)
def test_what_could_never_begin_is_not_signed(
    incident: Incident, home: Home, arguments: tuple[str, ...], status: int, why: str
) -> None:
    said = home.says(incident, "cto", *arguments, "--until", SOON, "--reason", "so it is")
    assert (said.status, why in said.err) == (status, True), said
    assert not home.file.exists()


@pytest.mark.parametrize(
    ("until", "why"),
    [
        ("tomorrow", "is not a time"),
        ("2027-01-01T00:00:00", "has no UTC offset"),
        ("2020-01-01T00:00:00Z", "must be to come, and within 90 days"),
        ("2999-01-01T00:00:00Z", "must be to come, and within 90 days"),
    ],
)
def test_it_ends_in_ninety_days_at_most(incident: Incident, home: Home, until: str, why: str) -> None:
    said = home.says(incident, "cto", *GIVE, "--until", until, "--reason", "so it is")
    assert (said.status, why in said.err) == (2, True), said


def test_only_those_who_are_named_sign(incident: Incident, home: Home) -> None:
    given = ("--until", SOON, "--reason", "so it is")
    said = home.says(incident, "technical-manager", *GIVE, *given)
    may = "technical-manager may not pre-authorise; cto and compliance-officer may"
    assert (said.status, may in said.err) == (1, True)
    mine = incident(
        "preauthorise", *GIVE, *given, "--as", "cto", "--yes", "--sign-with", str(home.keys["technical-manager"])
    )
    assert (mine.status, "cto is not proven" in mine.err) == (1, True)
    unasked = home.says(incident, "cto", *GIVE, *given, yes=False)
    assert (unasked.status, "without a terminal, give --yes" in unasked.err) == (2, True)
    people = home.folder / "organisation.yaml"
    people.write_text(people.read_text().replace("preauthorisers: [cto, compliance-officer]\n", ""))
    said = home.says(incident, "cto", *GIVE, *given)
    assert (said.status, "name who pre-authorises first" in said.err) == (1, True)
    assert not home.file.exists()


def test_an_id_that_fits_none_is_refused(incident: Incident, home: Home) -> None:
    home.offers(incident)
    for id_ in ("0000", "abc", ""):
        said = home.says(incident, "compliance-officer", "sign", id_)
        assert (said.status, "incident preauthorise list" in said.err) == (1, True)


def test_lint_says_what_cannot_begin_any_more(incident: Incident, home: Home) -> None:
    """At its line, with what to do; once it is revoked nothing is said of it."""
    one = home.offers(incident)
    book = home.folder / "data-breach.yaml"
    text = book.read_text()
    book.write_text(text.replace("- id: block-addresses", "- id: block-them"))
    (problem,) = [found for found in lint(home.folder) if found.file == home.file]
    assert problem.line == 6
    assert problem.field == "preauthorisations[0].says.step"
    assert "unknown change of data-breach 'block-addresses'; known: block-them, " in problem.message
    assert problem.message.endswith(f"incident preauthorise revoke {one['id']}")
    assert home.says(incident, "cto", "revoke", one["id"], "--reason", "renamed", yes=False).status == 0
    assert [found for found in lint(home.folder) if found.file == home.file] == []


def test_a_file_that_was_altered_is_refused(incident: Incident, home: Home) -> None:
    home.offers(incident)
    home.file.write_text(home.file.read_text().replace("most: 1", "most: 9"))
    (problem,) = [found for found in lint(home.folder) if found.file == home.file]
    assert (problem.line, "nothing before it has the digest" in problem.message or "not over" in problem.message) == (
        4,
        True,
    )


def test_a_declaration_carries_what_is_in_force(incident: Incident, home: Home) -> None:
    """For its type and those that it may open, in its environment, and until it ends."""
    from starters.files.declarable import declarable

    one = home.offers(incident)
    now = datetime.now(UTC)

    def carried(type_: str = "data-breach", environment: str = "sandbox", at: datetime = now) -> list[str]:
        found = declarable(home.folder, type_, environment, at)["preauthorisations"]
        return [each["terms"]["step"] for each in found]

    assert carried() == []
    home.says(incident, "compliance-officer", "sign", one["id"])
    assert carried() == carried("security") == ["block-addresses"]
    assert carried("performance") == carried(at=now + timedelta(days=31)) == []
    assert json.dumps(declarable(home.folder, "data-breach", "sandbox", now))
    home.says(incident, "cto", "revoke", one["id"], "--reason", "gone", yes=False)
    assert carried() == []


def test_how_often_it_was_used_is_told_by_the_ledger(incident: Incident, home: Home, aws: Vaulted) -> None:
    assert aws is not None
    home.offers(incident)
    (one,) = incident("preauthorise", "list", "--uses", "--json").json
    assert one["uses"] == 0


def test_a_worker_takes_it_up_without_a_restart(incident: Incident, home: Home) -> None:
    """What it refuses it says, and the last good files hold."""
    from worker.folder import Folder

    folder = Folder(home.folder, "sandbox")
    assert folder.preauthorisations() == ()
    one = home.offers(incident)
    home.says(incident, "compliance-officer", "sign", one["id"])
    assert [entry.claim.by for entry in folder.preauthorisations()] == ["cto", "compliance-officer"]
    good = home.file.read_text()
    home.file.write_text(good.replace("reason: scanners", "reason: anything"))
    assert [entry.claim.by for entry in folder.preauthorisations()] == ["cto", "compliance-officer"]
    home.file.write_text(good)
    home.says(incident, "cto", "revoke", one["id"], "--reason", "gone", yes=False)
    assert [entry.revokes for entry in folder.preauthorisations()] == [False, False, True]


def test_whoever_declares_a_p0_is_told_of_it(incident: Incident, home: Home) -> None:
    """Before anything is sent; nobody is where it cannot begin."""
    one = home.offers(incident)
    home.says(incident, "compliance-officer", "sign", one["id"])
    told = "Note: block-addresses may begin by itself: cto and compliance-officer pre-authorised it\n"
    for given, is_told in (
        (("data-breach", "--severity", "P0"), True),
        (("data-breach", "--severity", "P1"), False),
        (("data-breach", "--severity", "P0", "--dry-run"), False),
        (("security", "--severity", "P0"), False),
    ):
        said = incident("start", *given, "--title", "A breach", "--as", "cto")
        assert (said.status, told in said.err) == (3, is_told), said
