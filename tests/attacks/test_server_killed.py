"""Temporal's server dies in a sandbox: it is there again by itself, with all that it knew, and incidents go on."""

import os
import signal
import socket
from itertools import pairwise

import pytest

from sandbox.runtime import state
from sandbox.runtime.state import Files, State
from tests.e2e.house import House
from tests.e2e.workers import Worker, running
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("attacks")]

LEADS = 4


def known(house: House) -> State:
    found = state.read(Files(house.data_dir))
    assert found is not None
    return found


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_killed_server_comes_back_and_an_incident_goes_on(house: House) -> None:
    """Killed twice: same ports, same database; the pages of the open incident, and what people say, come in full."""
    with running(Worker(house)):
        incident = house.start("The server dies")
        until(lambda: len(house.outbox(incident)) >= LEADS, "the leads are paged")
        before = known(house)
        lives = [before.pids["temporal"]]
        for _ in range(2):
            os.kill(lives[-1], signal.SIGKILL)
            lives.append(
                until(lambda: next(iter({known(house).pids["temporal"]} - set(lives)), None), "another server starts")
            )
            until(lambda: answers(before.temporal_port) and answers(before.ui_port), "it answers on the same ports")
        assert all(one != other for one, other in pairwise(lives))
        house.call("ack", incident)
        assert house.until(incident, "it is heard", lambda found: found["acknowledged_at"])["id"] == incident
        after = known(house)
        assert after.pids["aws"] == before.pids["aws"]
        assert after.variables() == before.variables()
