"""Every error class of AWS at every call of every change: what comes out, and that another attempt ends it."""

from collections.abc import Iterable
from typing import Any

import pytest
from moto import mock_aws

from activities.catalogue import CHANGES
from activities.changes.hands import Hands
from domain.model.activity_io import Applied
from domain.values.errors import ErrorKind
from tests.activities.catalogue_worlds import world_of, writes_of
from tests.activities.trial import Trial
from tests.activities.walk import Codes, Met, Walk
from tests.activities.wire import Sent
from tests.activities.wire_codes import ONE_A_CLASS

_Name = tuple[str, str, str]


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_every_call_meets_every_error(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever call of apply or verify fails: with its kind, final or not, and another attempt ends it all once.

    What is final leaves locks that can be given back; what is not finds everything that was done before.
    """
    codes = _every_code if change == min(CHANGES) else _codes
    with mock_aws():
        trial = Trial(world_of(change))
        unnoticed: dict[_Name, Met] = {}
        again = _PlannedAgain(monkeypatch)
        applying = Walk(trial.apply, lambda sent: again.noted(sent, codes))
        for met in applying:
            if met.error is None:
                if not _is_told(trial.applied, met):
                    assert met.sent in again.sent, f"{met} went unnoticed"
                    unnoticed[_name(met)] = met
            else:
                _came_out(met)
            if met.is_final:
                trial.release()
                assert trial.holders == set(), met
        assert (applying.result.outcome, applying.result.ours) == ("applied", True)
        assert trial.effects == writes_of(change)
        trial.world.settle()
        verifying = Walk(trial.verify, codes)
        for met in verifying:
            if met.error is None:  # what it looks at besides
                assert met.code in verifying.result.message, f"{met} went unnoticed"
                continue
            _came_out(met)
            if met.is_final:
                trial.release()
                assert trial.holders == set(), met
        assert verifying.result.message
        assert trial.holders == set()
    _planned_without(change, unnoticed)


def _every_code(_sent: Sent) -> tuple[str, ...]:
    return ONE_A_CLASS


def _codes(sent: Sent) -> tuple[str, ...]:
    """The ledger is asked by one mechanism, which one change tries whole: here one code to retry and a final one."""
    return ("ThrottlingException", "AccessDenied") if sent.service == "dynamodb" else ONE_A_CLASS


def _is_told(applied: Applied, met: Met) -> bool:
    """Whether the answer says so, of a piece or of what was seen, or tells nothing: then `verify` meets it."""
    return applied.verified is None or any(met.code in said for said in (applied.verified, *applied.refused.values()))


class _PlannedAgain:
    """What was `sent` last while the plan was made once more before anything is begun."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: set[Sent] = set()
        self._amid = False
        planned = Hands._refuse_by_now

        def planning(*given: Any) -> None:
            self._amid = True
            try:
                planned(*given)
            finally:
                self._amid = False

        monkeypatch.setattr(Hands, "_refuse_by_now", planning)

    def noted(self, sent: Sent, codes: Codes) -> Iterable[str]:
        """The codes for a request; the same one may come elsewhere in another attempt."""
        (self.sent.add if self._amid else self.sent.discard)(sent)
        return codes(sent)


def _planned_without(change: str, unnoticed: dict[_Name, Met]) -> None:
    """Assert that a plan is made without these too: it is made once more before anything is begun."""
    if not unnoticed:
        return

    def codes(sent: Sent) -> Iterable[str]:
        return (code for code in _codes(sent) if (sent.service, sent.operation, code) in unnoticed)

    with mock_aws():
        trial = Trial(world_of(change))
        walk = Walk(lambda: trial.run("plan", trial.asked), codes)
        dispensable = {_name(met) for met in walk if met.error is None}
    assert not unnoticed.keys() - dispensable, f"{unnoticed} went unnoticed"


def _name(met: Met) -> _Name:
    return met.sent.service, met.sent.operation, met.code


def _came_out(met: Met) -> None:
    assert met.error is not None, f"{met} went unnoticed"
    assert met.code in met.error.message
    if met.error.type != ErrorKind.NOT_YET:  # what is looked at besides is looked at again with the rest
        assert met.error.type == met.kind.value, met
    assert met.error.non_retryable == met.is_final, met
