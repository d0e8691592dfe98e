"""`incident delegate list`, lint and preflight: who stands in, and what of the file counts for nothing."""

from pathlib import Path

import pytest

from activities.preflight import table
from starters.cli.delegate import delegate
from starters.files.loading import lint
from tests.starters.conftest import Incident
from tests.starters.enrolled import Enrolled
from tests.starters.lending import DAY, by, lend, lenders, until
from tests.starters.vaulted import Vaulted


@pytest.fixture
def home(incident: Incident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Enrolled:
    return lenders(incident, tmp_path, monkeypatch)


def nobody_above(home: Enrolled) -> None:
    """From now on the technical manager has nobody stand in for another."""
    people = home.folder / "organisation.yaml"
    people.write_text(people.read_text().replace("chain: [technical-manager, cto, ceo]", "chain: [cto, ceo]"))


def said_of(home: Enrolled) -> list[str]:
    """What lint says of the file."""
    return [one.message for one in lint(home.folder) if one.file.name == "delegations.yaml"]


def test_the_list_tells_what_stands_and_what_counts_for_nothing(incident: Incident, home: Enrolled) -> None:
    """In words and as JSON; what is over is left out, unless all is asked for."""
    assert incident("delegate", "list").out == "Nobody stands in for anybody\n"
    incident(*lend(), *by(home, "devops-lead"))
    incident(*lend("security-lead", "cto", "--from", until(DAY), ends=until(2 * DAY)), *by(home, "technical-manager"))
    rows = incident("delegate", "list", "--json").json["delegations"]
    assert [(row["to"], row["role"], row["stands"]) for row in rows] == [
        ("privacy-officer", "devops-lead", "now"),
        ("cto", "security-lead", "to come"),
    ]
    incident("delegate", "end", rows[0]["id"], "--reason", "back", *by(home, "privacy-officer"))
    nobody_above(home)
    (left,) = incident("delegate", "list", "--json").json["delegations"]
    assert (left["stands"], left["counts_for_nothing"].startswith("technical-manager may not")) == ("never", True)
    everything = incident("delegate", "list", "--all", "--json").json["delegations"]
    assert [row["stands"] for row in everything] == ["over", "never"]


def test_what_lint_advises_is_what_mends_it(incident: Incident, home: Enrolled) -> None:
    """One that counts for nothing, as its maker has lost the role, is ended by the command that lint names."""
    incident(*lend(), *by(home, "technical-manager"))
    nobody_above(home)
    (problem,) = said_of(home)
    assert "counts for nothing: technical-manager may not" in problem
    _, command = problem.split("end it: incident ")
    ended = incident(*command.split(), "--reason", "no lead any more", *by(home, "devops-lead"))
    assert (ended.status, "the file is written" in ended.err) == (3, True)
    assert said_of(home) == []
    assert incident("delegate", "list", "--json").json["delegations"] == []


def test_lint_tells_the_line_of_what_was_altered(incident: Incident, home: Enrolled) -> None:
    """A signature over something else makes the file unreadable, and a worker keeps to the last good one."""
    incident(*lend(), *by(home, "devops-lead"))
    file = home.folder / "delegations.yaml"
    file.write_text(file.read_text().replace("to: privacy-officer", "to: cto"))
    said = incident("runbook", "lint", str(home.folder))
    assert (said.status, f"{file}:4: delegations[0]: the signature proves nothing" in said.err) == (2, True), said.err


def doubled(incident: Incident, home: Enrolled, first: str = "devops-lead", second: str = "technical-manager") -> None:
    """Two copies of the folder, put together."""
    incident(*lend(), *by(home, first))
    file = home.folder / "delegations.yaml"
    begun = file.read_text()
    file.unlink()
    incident(*lend(), *by(home, second))
    file.write_text(begun + file.read_text().split("delegations:\n")[1])


def test_lint_tells_two_that_overlap(incident: Incident, home: Enrolled) -> None:
    """As two people may have signed them in two copies of the folder."""
    doubled(incident, home)
    assert ["during that time" in problem.message for problem in lint(home.folder)] == [True]


@pytest.mark.parametrize("signers", [("devops-lead", "technical-manager"), ("technical-manager", "devops-lead")])
def test_one_that_counts_for_nothing_overlaps_with_none(
    incident: Incident, home: Enrolled, signers: tuple[str, str]
) -> None:
    """Only that it counts for nothing is said of it, whichever comes first."""
    doubled(incident, home, *signers)
    nobody_above(home)
    assert ["counts for nothing: technical-manager may not" in one for one in said_of(home)] == [True]


def test_an_unsigned_one_counts_in_a_sandbox_and_preflight_says_so_of_the_others(
    incident: Incident, home: Enrolled, aws: Vaulted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder serves both: lint says nothing of it."""
    for name in ("CHECKS", "WRITES", "ASSUMED"):
        monkeypatch.setattr(table, name, ())
    incident(*lend(), "--as", "devops-lead", "--environment", "sandbox")
    assert lint(home.folder) == []

    def rows(environment: str) -> list[str]:
        found = incident("preflight", "--json", "--environment", environment).json
        return [f"{row['status']}: {row['detail']}" for row in found if row["check"] == "stand-ins"]

    (ok,), (wrong,) = rows("sandbox"), rows("production")
    assert ok.startswith("ok: privacy-officer, from")
    assert wrong.startswith("wrong: ")
    assert "counts for nothing: nobody has signed it; end it: incident delegate end" in wrong


@pytest.mark.parametrize("command", sorted(delegate.commands))
def test_no_role_is_called_as_a_command_of_delegate(incident: Incident, home: Enrolled, command: str) -> None:
    """Nobody could stand in for it; lint names the line, and what to do."""
    people = home.folder / "organisation.yaml"
    lines = people.read_text().splitlines(keepends=True)
    number = next(at for at, line in enumerate(lines) if "roles: [development-lead" in line)
    lines[number] = lines[number].replace("roles: [", f"roles: [{command}, ")
    people.write_text("".join(lines))
    said = incident("runbook", "lint", str(home.folder))
    expected = f"{people}:{number + 1}: contacts[1].roles[0]: incident delegate {command} is a command"
    assert (said.status, expected in said.err) == (2, True), said.err
    assert "name the role otherwise" in said.err


def test_preflight_tells_who_stands_in_and_what_counts_for_nothing(
    incident: Incident, home: Enrolled, aws: Vaulted, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CHECKS", "WRITES", "ASSUMED"):
        monkeypatch.setattr(table, name, ())
    doubled(incident, home)
    rows = [row for row in incident("preflight", "--json").json if row["check"] == "stand-ins"]
    assert [(row["target"].split(":")[0], row["status"]) for row in rows] == [
        ("devops-lead", "ok"),
        ("devops-lead", "ok"),
        ("delegations.yaml", "wrong"),
    ]
