"""Preflight reads a sample of a service's lines as probes read them all."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from activities.preflight.check import Room, Verdict
from activities.preflight.logs import service_log
from activities.statuspage_client import StatusPageClient
from starters.files.organisation_folder import load_organisation
from starters.files.shipped import shipped_folder
from tests.activities.log_worlds import log_of, written
from tests.activities.scopes import NOW, environment
from tests.activities.test_probes_logs import HIDDEN, SHIPPED, TRACEBACK_LINES


@pytest.fixture(autouse=True)
def account() -> Iterator[None]:
    with mock_aws():
        yield


def looked(clients: Any, formats: list[dict[str, Any]]) -> Verdict:
    backend = environment().services["backend"].model_dump() | {"log_formats": formats}
    where = environment(services={"backend": backend})
    nobody = StatusPageClient("http://127.0.0.1:9", "")
    room = Room(clients, where, load_organisation(shipped_folder()), lambda: NOW, lambda _: clients, nobody)
    return service_log(room, where.services["backend"])


@pytest.mark.parametrize(("declared", "lines"), HIDDEN.values(), ids=HIDDEN)
def test_errors_that_no_format_reads_are_told(declared: list[dict[str, Any]], lines: list[str]) -> None:
    """Each of them, and not what it says."""
    seen = looked(log_of(*((5.0, line) for line in lines)), declared)
    assert seen.status == "wrong"
    assert f"{len(lines)} of {len(lines)} lines are not read" in seen.detail


def test_a_traceback_is_read_where_it_has_begun() -> None:
    """In the stream that it is written to."""
    clients = log_of(*((5.0, line) for line in TRACEBACK_LINES))
    assert looked(clients, SHIPPED).status == "ok"
    written(clients, [(4, TRACEBACK_LINES[-1])], stream="app/app/2")
    seen = looked(clients, SHIPPED)
    assert (seen.status, "none has begun" in seen.detail) == ("wrong", True)
