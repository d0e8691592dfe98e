"""What could not be read is never `ok`: every probe of the catalogue, in every case in which it cannot judge."""

from dataclasses import replace
from unittest.mock import patch

import pytest
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.catalogue import PROBES
from domain.model.activity_io import ObserveRequest
from domain.model.finding import Finding, FindingStatus
from domain.values.errors import ErrorKind
from tests.activities.tables import gathered
from tests.activities.trial import named
from tests.activities.unread import Case, Look, Partial, ProbeCases, Young
from tests.house import FixedHouse, about, asking

_COUNTED = (Case.ONE_UNREADABLE, Case.CUT_OFF, Case.TROUBLE_BESIDE_UNREADABLE)


def cases() -> ProbeCases:
    return gathered("PROBE_CASES", "ProbeCases")


@pytest.mark.parametrize("probe", sorted(PROBES))
def test_every_probe_answers_every_case(probe: str) -> None:
    """A probe that is added says of each case what it would be shown, or in a sentence why that cannot be."""
    given = cases().get(probe, {})
    wanted = set(Case) if _reads_metrics(probe) else set(Case) - {Case.PARTIAL_METRIC}
    assert set(given) == wanted, f"{probe}: PROBE_CASES lacks {[case.name for case in wanted if case not in given]}"
    assert callable(given.get(Case.PARTIAL_METRIC, dict)), f"{probe} reads metrics, which may be partial"
    assert [why for why in given.values() if isinstance(why, str) and len(why.split()) < 4] == []


def _reads_metrics(probe: str) -> bool:
    return "cloudwatch:GetMetricData" in PROBES[probe].permissions


@pytest.mark.parametrize("probe", [probe for probe in sorted(PROBES) if _reads_metrics(probe)])
def test_part_of_a_metric_is_not_well(probe: str) -> None:
    """What is well by all of its figures is not by a part of them, whatever the rest may be; and that is told."""
    make = cases()[probe][Case.PARTIAL_METRIC]
    assert not isinstance(make, str)
    with mock_aws(), patch("time.sleep"):
        look = make()
        whole, part = _seen(probe, look), _seen(probe, replace(look, clients=Partial(look.clients)))
    assert (whole and whole.status, part and part.status) == (FindingStatus.OK, FindingStatus.UNKNOWN), (whole, part)


@pytest.mark.parametrize(
    "probe", [name for name in sorted(PROBES) if "logs:FilterLogEvents" in PROBES[name].permissions]
)
def test_a_log_that_lacks_the_windows_beginning_is_not_well(probe: str) -> None:
    """Whoever deletes a log group deletes what stood in it, and the application makes it anew: that is told."""
    make = cases()[probe][Case.ONE_UNREADABLE]
    if isinstance(make, str):
        assert probe == "logs.last_event"  # what is there answers it
        return
    with mock_aws():
        look = make()
        finding = _seen(probe, replace(look, clients=Young(look.clients)))
    assert finding is not None
    assert (finding.status, finding.facts["kept_since"]) == (FindingStatus.UNKNOWN, "2026-11-23T03:29:00Z"), finding
    assert "has none from before 23 Nov 03:29 UTC" in finding.summary


@pytest.mark.parametrize("case", [case for case in Case if case is not Case.PARTIAL_METRIC])
@pytest.mark.parametrize("probe", sorted(PROBES))
def test_never_ok_unread(probe: str, case: Case) -> None:
    """Not `ok`, what was not read is counted and told, and one bad record does not hide the trouble beside it."""
    make = cases().get(probe, {}).get(case, "")
    if isinstance(make, str):
        return
    with mock_aws(), patch("time.sleep"):  # nobody waits for AWS's pace
        finding = _seen(probe, make())
    if finding is None:
        assert case not in _COUNTED, "one record, or the end of the pages, ends it with an error"
        return
    assert finding.status is not FindingStatus.OK, finding
    if case in _COUNTED:
        assert finding.facts.get("unread", 0) >= 1 or finding.facts.get("truncated") is True, finding
    if case is Case.TROUBLE_BESIDE_UNREADABLE:
        assert finding.status is FindingStatus.SUSPECT, finding


def _seen(probe: str, look: Look) -> Finding | None:
    """The finding; None where the probe ends with an error of AWS that has a kind of its own."""
    house = FixedHouse(look.scope.environment)
    call = ObserveRequest(about=about(look.scope), step="look", params=look.params, at=look.at)
    try:
        found: Finding = asking(call).run(named(look.clients, house)[f"{probe}.observe"], call)
    except ApplicationError as error:
        if error.type == ErrorKind.UNKNOWN.value:
            raise
        return None
    return found
