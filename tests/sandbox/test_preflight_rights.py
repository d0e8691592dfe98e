"""Preflight asks AWS for what its checks declare, and for nothing that changes anything."""

import re
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import boto3

from activities.aws.shared.clients import AwsClients
from activities.preflight.check import Check, Room, ok
from activities.preflight.run import run
from activities.preflight.table import CHECKS
from sandbox.runtime.aws_world import World
from tests.iam import permissions_for
from tests.sandbox.preflight_rooms import room_of
from tests.sandbox.worlds import shipped

READS = ("Check", "Describe", "Download", "Filter", "Get", "Head", "List", "Lookup", "Simulate")
ONLY_OF_CLUSTERS = {"rds:DescribeDBClusters", "rds:DescribeDBInstances"}
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


class Noting(AwsClients):
    """Clients that note what they are asked."""

    def __init__(self, region: str) -> None:
        super().__init__(boto3.Session("testing", "testing", region_name=region), region)
        self.asked: set[str] = set()

    def client(self, service: str) -> Any:
        made = super().client(service)
        made.meta.events.register("before-call", partial(self._note, service), unique_id="noting")
        return made

    def _note(self, service: str, model: Any, **_: Any) -> None:
        self.asked.add(f"{service}:{model.name}")


def test_each_check_declares_what_it_asks_and_changes_nothing(world: World) -> None:
    """Neither more nor less, so that whoever runs it can be given exactly that; every operation is a read."""
    environment = world.environment
    for check in CHECKS:
        clients = Noting(environment.region)
        rows = list(run([check], room_of(environment, clients=clients)))
        needed = {one for asked in clients.asked for one in permissions_for(asked)}
        if rows:
            assert needed | (ONLY_OF_CLUSTERS & set(check.permissions)) == set(check.permissions), check.name
        assert [one for one in clients.asked if not one.partition(":")[2].startswith(READS)] == [], check.name


def test_what_it_needs_is_documented() -> None:
    """The list in the operations' manual is that of the checks."""
    chapter = OPERATIONS.read_text().partition("## Preflight")[2].partition("\n## ")[0]
    listed = re.findall(r"^    ([\w-]+): ([\w, \n]+?)$(?!\n {8})", chapter, re.MULTILINE)
    written = {f"{service}:{name}" for service, names in listed for name in re.split(r",\s+", names)}
    assert written == {one for check in CHECKS for one in check.permissions}


def test_rows_come_in_the_order_of_the_table() -> None:
    """Whichever look ends first: here the last one does, and the others wait for those that come after them."""
    ended = [Event() for _ in range(3)]

    def look(_: Room, number: int) -> Any:
        assert ended[number + 1].wait(20) if number < 2 else True
        ended[number].set()
        return ok("seen")

    two: Check[int] = Check("two", lambda _: {"first": 0, "second": 1}, look, ())
    one: Check[int] = Check("one", lambda _: {"first": 2}, look, ())
    rows = list(run([two, one], room_of(shipped())))
    assert [(row.check, row.target, row.status) for row in rows] == [
        ("two", "first", "ok"),
        ("two", "second", "ok"),
        ("one", "first", "ok"),
    ]
