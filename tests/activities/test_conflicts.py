"""What other writers and lost answers bring about: every change meets them at each of its writes, to one effect."""

from collections.abc import Iterator

import pytest
from moto import mock_aws
from moto.s3.models import s3_backends
from temporalio.exceptions import ApplicationError

from activities.aws.shared.error_codes import ALREADY
from activities.catalogue import CHANGES
from domain.values.errors import FINAL
from tests.activities.catalogue_worlds import world_of, writes_of
from tests.activities.scopes import ACCOUNT
from tests.activities.trial import Trial
from tests.activities.walk import Met, Walk
from tests.activities.wire import AGAIN, Sent
from tests.activities.wire_codes import ALREADY_FROM, already_of, conflicts_of
from tests.activities.world import WIRE

MOST_ATTEMPTS = 10
REPEATABLE = {operation for operations in ALREADY_FROM.values() for operation in operations}


@pytest.fixture(params=sorted(CHANGES))
def trial(request: pytest.FixtureRequest) -> Iterator[Trial]:
    with mock_aws():
        yield Trial(world_of(request.param))


def conflicts(sent: Sent) -> tuple[str, ...]:
    return conflicts_of(sent.service, sent.operation) if sent.writes and sent.number == 0 else ()


def test_a_conflict_is_read_again_and_has_one_effect(trial: Trial) -> None:
    """Whichever write meets a conflict or a busy resource: read again, once more, and each effect is there once."""
    applying = Walk(trial.apply, conflicts)
    for met in applying:
        assert met.error is None or (met.error.type, met.error.non_retryable) == (met.kind.value, False), met
    assert (applying.result.outcome, applying.result.ours) == ("applied", True)
    assert trial.effects == writes_of(trial.name)
    trial.world.settle()
    assert trial.verify().message
    assert trial.is_as_planned


def test_what_is_so_already_by_our_own_doing_is_done(trial: Trial) -> None:
    """A request that went out twice, its first answer lost, counts once, whatever AWS says to the second.

    Undone it is the same.
    """
    _sent_twice(trial)
    if trial.call.plan.reversible:
        trial.undoing()
        _sent_twice(trial)


def test_what_is_only_said_to_be_so_already_is_looked_at(trial: Trial) -> None:
    """AWS says that it is so already, but what stands there is not what we want: it counts for nothing, undone too."""
    _said_to_be_so(trial)
    if trial.call.plan.reversible:
        trial.undoing()
        _said_to_be_so(trial)


def test_somebody_else_who_was_quicker_is_not_taken_for_us(trial: Trial) -> None:
    """Somebody writes between our look and our first write: ours is what stands in the end, or we say that it is not.

    Waiting for it without end is neither.
    """
    look, world = trial.world.clients.before_write, trial.world

    def meddling() -> None:
        world.clients.before_write = look
        world.meddle()

    world.clients.before_write = meddling
    try:
        outcome = _until_done(trial)
        if outcome == "applied":
            world.settle()
            trial.verify()
    except ApplicationError as failed:
        outcome, kind = f"{failed}", failed.type
        assert kind in FINAL, f"{trial.name} waits for what will not come: {outcome}"
    else:
        assert outcome == "stale" or trial.is_as_planned


def test_every_code_that_says_already_has_an_operation_that_gives_it() -> None:
    """The suite sends again whatever could be answered so: a code that is added says from where it comes."""
    assert ALREADY_FROM.keys() == ALREADY


def _sent_twice(trial: Trial) -> None:
    effects = trial.effects
    with WIRE.listening(_again):
        assert _until_done(trial) == "applied"
    assert trial.effects == effects + writes_of(trial.name)
    trial.world.settle()
    with WIRE.listening(_again):
        assert trial.verify().message
    assert trial.is_as_planned


def _again(sent: Sent) -> str | None:
    return AGAIN if sent.writes and (sent.repeats or sent.operation in REPEATABLE) else None


def _said_to_be_so(trial: Trial) -> None:
    effects = trial.effects
    applying = Walk(trial.apply, _already)
    for met in applying:
        _counts_for_nothing(met)
    assert applying.result.outcome == "applied"
    assert trial.effects == effects + writes_of(trial.name)
    trial.world.settle()
    for met in Walk(trial.verify, _already):
        _counts_for_nothing(met)
    assert trial.is_as_planned


def _already(sent: Sent) -> tuple[str, ...]:
    return already_of(sent.service, sent.operation) if sent.writes and not _stands(sent) else ()


def _stands(sent: Sent) -> bool:
    """Whether an earlier attempt has put it there: then it is so already, and AWS would say so itself."""
    if (sent.service, sent.operation) != ("s3", "PutObject"):
        return False
    bucket = s3_backends[ACCOUNT]["aws"].get_bucket(sent.asked["Bucket"])
    return sent.asked["Key"] in bucket.keys


def _counts_for_nothing(met: Met) -> None:
    assert met.error is not None, f"{met} was taken for done"
    assert (met.error.type, met.error.non_retryable) == ("Conflict", False), met


def _until_done(trial: Trial) -> str:
    """Apply as Temporal does, again after every error that may be tried again."""
    for _ in range(MOST_ATTEMPTS):
        try:
            return trial.apply().outcome
        except ApplicationError as error:
            if error.non_retryable:
                raise
    raise AssertionError(f"{trial.name} does not come to an end")
