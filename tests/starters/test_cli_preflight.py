"""`incident preflight`: one row a check, exit 1 unless all is ok, and at a terminal what a person must do."""

from dataclasses import replace
from typing import Any

import pytest

from activities.preflight import table
from activities.preflight.check import Check, missing, ok
from starters.cli import terminal
from tests.starters.conftest import Incident
from tests.starters.vaulted import Vaulted

Checks = tuple[Check[Any], ...]
FINE: Check[Any] = Check("table", lambda _: {"ledger_table": ""}, lambda *_: ok("recoverable"), ())
LOST = replace(FINE, name="bucket", look=lambda *_: missing("AWS answers 404; make it, or mend the environment's file"))


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Preflight with other checks."""

    def given(*checks: Check[Any], writes: Checks = (), assumed: Checks = ()) -> None:
        for name, some in (("CHECKS", checks), ("WRITES", writes), ("ASSUMED", assumed)):
            monkeypatch.setattr(table, name, some)

    return given


def test_all_ok_is_exit_0(incident: Incident, aws: Vaulted, checks: Any) -> None:
    """The document is a list of rows; nothing else is on stdout."""
    checks(FINE)
    said = incident("preflight", "--json")
    assert (said.status, said.err) == (0, "")
    assert said.json == [{"check": "table", "target": "ledger_table", "status": "ok", "detail": "recoverable"}]
    assert "nothing is to be done" in incident("preflight").out


def test_one_that_is_not_ok_is_exit_1(incident: Incident, aws: Vaulted, checks: Any) -> None:
    """The rows come all the same; stderr says in one line how many are not ok."""
    checks(FINE, LOST)
    said = incident("preflight", "--json")
    assert said.status == 1
    assert [row["status"] for row in said.json] == ["ok", "missing"]
    assert said.err == "1 of 2 checks are not ok in sandbox\n"


def test_a_terminal_of_80_columns_holds_it(
    incident: Incident, aws: Vaulted, checks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider, however long the names are, and the last ones say what a person must do: once for all."""
    monkeypatch.setattr(terminal, "_PIPE_WIDTH", 80)
    long = {f"load_balancers.{'portal' * 12}.rule_arns[{number}]": "" for number in range(3)}
    checks(FINE, replace(LOST, targets=lambda _: long))
    lines = incident("preflight").out.splitlines()
    assert max(map(len, lines)) <= 80
    after = "\n".join(lines).partition("What a person must do:")[2].replace("\n     ", " ")
    assert after.count("make it, or mend the environment's file") == 1
    assert all(name in "".join(after.split()) for name in long)


def test_only_write_writes_and_only_assume_assumes(incident: Incident, aws: Vaulted, checks: Any) -> None:
    """What leaves something behind is done with --write alone, what needs the roles' trust with --assume."""
    checks(FINE, writes=(replace(FINE, name="locked object"),), assumed=(replace(FINE, name="dry run"),))
    assert [row["check"] for row in incident("preflight", "--json").json] == ["table"]
    assert [row["check"] for row in incident("preflight", "--json", "--write").json] == ["table", "locked object"]
    assert [row["check"] for row in incident("preflight", "--json", "--assume").json] == ["table", "dry run"]
