from activities.catalogue import CHANGES, NOTICES, PROBES
from tests.starters.conftest import Incident


def test_every_action_is_listed_with_what_it_takes_and_needs(incident: Incident) -> None:
    """All of the catalogue, each with its kind, parameters, approval classes and permissions."""
    found = {one["name"]: one for one in incident("runbook", "actions", "--json").json}
    assert set(found) == {*PROBES, *CHANGES, *NOTICES}
    assert all(one["summary"] for one in found.values())
    resets = found["cognito.reset_passwords"]
    assert (resets["kind"], resets["classes"], resets["evidence"]) == ("change", ["A2", "A3"], False)
    assert "cognito-idp:AdminResetUserPassword" in resets["permissions"]
    assert found["rds.snapshot"]["evidence"]
    table = incident("runbook", "actions").out
    assert "statuspage.resolved" in table
    assert "[window]" in table


def test_one_action_tells_its_parameters(incident: Incident) -> None:
    """A parameter says what it takes, as a runbook writes it, and what it is when it is left out."""
    shown = incident("runbook", "actions", "cloudwatch.replica_lag").out
    assert "  database: name in databases, required\n" in shown
    assert '  most: duration, default "5m"\n' in shown
    assert "Needs in AWS: cloudwatch:GetMetricData" in shown
    one = incident("runbook", "actions", "logging.extend", "--json").json
    assert {p["name"]: (p["type"], p["required"]) for p in one["parameters"]}["services"] == (
        "list of name in services",
        False,
    )


def test_an_unknown_action_is_refused_with_the_nearest(incident: Incident) -> None:
    """A slip of the pen names what was perhaps meant."""
    said = incident("runbook", "actions", "rds.fialover")
    assert said.status == 1
    assert "'rds.failover'" in said.err
