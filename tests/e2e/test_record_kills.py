"""A worker that is killed between a write of the record and its answer: the record holds it once."""

import pytest

from tests.e2e.account import PROBES
from tests.e2e.house import House
from tests.e2e.record import assert_recorded_once, stored
from tests.e2e.wire import Wire
from tests.e2e.workers import Worker

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

ENTRIES = "dynamodb.TransactWriteItems"
SIGNED_HEAD = "s3.PUT /*/ledger/*"


def test_write_whose_answer_is_lost_with_the_worker_stands_once(house: House, aws: Wire, worker: Worker) -> None:
    """Entries, then a signed head are written and the worker dies before it knew: the next takes both as done."""
    incident = house.start("Killed while writing the record")
    house.findings(incident, PROBES)
    before = len(assert_recorded_once(house, incident))
    aws.trap(ENTRIES, "after", worker.kill, about=incident, cut=True)
    house.signal(incident, "note", by="devops-lead", text="who is there?")
    worker.end()
    assert len(stored(house, incident)) == before + 1
    aws.trap(SIGNED_HEAD, "after", worker.kill, about=incident, cut=True)
    worker.start()
    worker.end()
    worker.start()
    entries = assert_recorded_once(house, incident)
    assert [one["kind"] for one in entries[before:]] == ["note"]
