"""A change that AWS refuses in part, from its vote to its undo: who is paged, and what the workflows ask for."""

import pytest
from temporalio.testing import WorkflowEnvironment

from domain.model.activity_io import Applied, ApplyRequest, Planned, PlanRequest
from domain.model.plan import Plan
from tests.workflows.asking import approve, ask, begin
from tests.workflows.world import World

DENIED = "AccessDenied: AWS answered AccessDeniedException to UpdateWebACL"
SAID = f"1 of 2 pieces done; not done: door ({DENIED})"


class Doors(World):
    """What is to be changed has a door beside its revision; AWS refuses whatever is asked of the door."""

    def plan(self, name: str, call: PlanRequest) -> Planned:
        planned = super().plan(name, call)
        if call.undo is not None:
            return planned
        before, after = {**planned.plan.before, "door": "open"}, {**planned.plan.after, "door": "shut"}
        return self.made(Planned(plan=planned.plan.model_copy(update={"before": before, "after": after}).sealed()))

    def intended(self, call: ApplyRequest) -> tuple[str, Plan]:
        change, plan = super().intended(call)
        return change, plan.without({"door"})

    def apply(self, call: ApplyRequest) -> Applied:
        applied = super().apply(call)
        refused = {"door": DENIED} if "door" in self.plans[call.digest].after else {}
        return applied.model_copy(update={"refused": refused})


@pytest.fixture
def doors() -> Doors:
    return Doors()


async def test_what_was_done_in_part_pages_the_commander_and_is_undone(
    server: WorkflowEnvironment, doors: Doors
) -> None:
    """One page more than the vote had, to whoever commands; the undo is asked for what was done alone."""
    async with doors.workers(server.client):
        told = await begin(server)
        asked = await ask(told)
        await told.until(lambda state: all(page["settled"] for page in state["pages"]))
        before = list(doors.pages)
        await approve(told, asked)
        change = await told.change_is("rollback", "partly-applied")
        await told.until(lambda state: all(page["settled"] for page in state["pages"]))
        (page,) = doors.pages[len(before) :]
        assert page[0] == "incident-commander"
        assert f"done in part: Roll back: {SAID}" in page[1]
        assert (change["pieces"], change["ours"]) == ({"revision": "done", "door": DENIED}, True)
        assert change["reason"] == f"steady; {SAID}"
        assert [look.refused for look in doors.looked] == [("door",)]
        assert f"Applied in part, verifying: Roll back: {SAID}" in [e["text"] for e in await told.timeline()]
        await told.do("undo", step="rollback")
        back = await told.change_is("rollback", "awaiting-approval")
        assert (back["plan"]["before"], back["plan"]["after"]) == ({"revision": "good"}, {"revision": "bad"})
        await approve(told, back)
        await told.change_is("rollback", "applied")
        state = await told.state()
    assert [change["status"] for change in state["changes"]] == ["undone", "applied"]
    assert doors.revision == "bad"
