"""Every error class of AWS at every call of every change: what comes out, and that another attempt ends it."""

import pytest
from moto import mock_aws

from activities.catalogue import CHANGES
from domain.model.activity_io import Applied
from tests.activities.catalogue_worlds import world_of, writes_of
from tests.activities.trial import Trial
from tests.activities.walk import Met, Walk
from tests.activities.wire_codes import ONE_A_CLASS


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_every_call_meets_every_error(change: str) -> None:
    """Whichever call of apply or verify fails: with its kind, final or not, and another attempt ends it all once.

    What is final leaves locks that can be given back; what is not finds everything that was done before.
    """
    with mock_aws():
        trial = Trial(world_of(change))
        applying = Walk(trial.apply, lambda _: ONE_A_CLASS)
        for met in applying:
            if met.error is None:
                assert _is_told(trial.applied, met), f"{met} went unnoticed"
            else:
                _came_out(met)
            if met.is_final:
                trial.release()
                assert trial.holders == set(), met
        assert (applying.result.outcome, applying.result.ours) == ("applied", True)
        assert trial.effects == writes_of(change)
        trial.world.settle()
        verifying = Walk(trial.verify, lambda _: ONE_A_CLASS)
        for met in verifying:
            _came_out(met)
            if met.is_final:
                trial.release()
                assert trial.holders == set(), met
        assert verifying.result.message
        assert trial.holders == set()


def _is_told(applied: Applied, met: Met) -> bool:
    """Whether a piece is said to be refused so, or nothing is said to be verified: then `verify` meets it."""
    return applied.verified is None or any(met.code in why for why in applied.refused.values())


def _came_out(met: Met) -> None:
    assert met.error is not None, f"{met} went unnoticed"
    assert (met.error.type, met.error.non_retryable) == (met.kind.value, met.is_final), met
    assert met.code in met.error.message
