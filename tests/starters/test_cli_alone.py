"""`incident break-glass`: one command and one confirmation, and said twice it does nothing twice."""

from tests import waiting
from tests.starters.backstage import Backstage
from tests.starters.conftest import Incident
from tests.starters.test_cli_steering import START, ok, there

__all__ = ["there"]
WHY = ("--reason", "nobody answers since 03:10")


def test_who_is_alone_needs_one_command(there: Incident, backstage: Backstage) -> None:
    """The change is requested with it; without a terminal it asks for --yes before anything has happened."""
    id_ = ok(there(*START, "--json")).json["incident_id"]
    ok(there("ack", id_))
    bare = there("break-glass", id_, "rollback", *WHY)
    assert (bare.status, "give --yes" in bare.err) == (2, True)
    assert there("show", id_, "--json").json["changes"] == []
    ok(there("break-glass", id_, "rollback", *WHY, "--yes"))

    def applied() -> bool:
        (change,) = there("show", id_, "--json").json["changes"]
        return bool(change["status"] == "applied")

    waiting.until(applied, "the rollback is applied")
    again = there("break-glass", id_, "rollback", *WHY, "--yes")
    assert (again.status, f"ask for that first: incident change {id_} rollback" in again.err) == (1, True)
    assert len(there("show", id_, "--json").json["changes"]) == 1
    shown = ok(there("show", id_)).out
    assert "approve alone" in " ".join(shown.split())
    told = [one["text"] for one in there("timeline", id_, "--json").json]
    assert any("breaks the glass and decides alone: nobody answers since 03:10" in one for one in told)


def test_what_is_ones_own_anyway_is_refused(there: Incident) -> None:
    """A change of class A1 has its requester's own vote, and says so."""
    id_ = ok(there(*START, "--json")).json["incident_id"]
    ok(there("ack", id_))
    there("change", id_, "scale-up", "--set", "count=6")
    refused = there("break-glass", id_, "scale-up", *WHY, "--yes")
    assert (refused.status, "of class A2 alone" in refused.err) == (1, True), refused.err
