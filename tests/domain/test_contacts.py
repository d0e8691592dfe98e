"""Contacts that are asked: several channels open one incident, which says what hangs on whoever does not answer."""

from datetime import timedelta
from typing import Any

import pytest

from domain.config.approval import ApprovalRule
from domain.config.obligation import Obligations
from domain.config.organisation import Contact, Organisation
from domain.config.runbook import Runbook
from domain.model.event_kinds import Happening
from domain.model.work_events import NoticeMoved
from domain.rehearsal.documents import Documents
from domain.rehearsal.record import read
from domain.rehearsal.rehearse import Rehearser
from domain.rules.dependence import duties
from domain.values import codes
from tests.activities.report_worlds import Played
from tests.builders import organisation, runbook
from tests.upkeep import CODE, upkeep

SMS, MAIL = "cto says the code that came by text message", "cto says the code that came by mail"


def contacts() -> Runbook:
    """Two channels of one person, and a party that is heard."""
    asked: dict[str, Any] = {"owner": "cto", "due": "3d", "opens": "maintenance", "key": "contact:cto"}
    asked["opens_as"] = "cto does not answer"
    steps = [
        {"id": "code-1", "notice": "test.tell", "title": "A code by text message"},
        {"id": "confirm-1", "task": SMS, "code_of": "code-1", "tells": "Nothing hangs on cto alone.", **asked},
        {"id": "code-2", "notice": "test.tell", "title": "A code by mail"},
        {"id": "confirm-2", "task": MAIL, "code_of": "code-2", **asked},
        {"id": "hear", "task": "Hear the insurer", "owner": "devops-lead", "due": "14d", "noted": True},
    ]
    phases = [{"id": "contacts", "title": "Contacts", "steps": steps}]
    return runbook(id="contact-validation", title="Contacts", severities=["P3"], on_call=["devops-lead"], phases=phases)


class Asked(Played):
    """A validation that has just begun."""

    def __init__(self) -> None:
        super().__init__(upkeep(runbook=contacts()))

    def sent(self, number: int, **said: Any) -> None:
        """Have the notice of this number go out, with the code that tests know; or not."""
        code = codes.digest(CODE, codes.about(self.incident.state.id, number))
        fields = {"step": f"code-{number}", "sequence": number, "status": "sent", "code": code, **said}
        moved = NoticeMoved.model_validate(fields)
        self.incident.take([Happening(moved)], self.now)

    def opened(self) -> list[tuple[str | None, str | None, str]]:
        return [(link.key, link.title, link.description) for link in self.incident.state.links]


def test_two_channels_that_stay_silent_open_one_incident() -> None:
    """It says of each how it stands, and why a code was not sent."""
    played = Asked()
    played.sent(1)
    played.sent(2, status="failed", reason="no sender", code=None)
    played.wait(timedelta(days=3))
    said = f"{SMS}: nobody has done it\n{MAIL}: nobody has done it; the code was not sent: no sender"
    assert played.opened() == [("contact:cto", "cto does not answer", f"{said}\nNothing hangs on cto alone.")]
    assert [task.status for task in played.incident.state.tasks] == ["missed", "missed", "open"]


def test_one_that_answers_is_told_beside_the_one_that_does_not() -> None:
    """A code counts for its own channel alone, whoever says it."""
    played = Asked()
    played.sent(1)
    played.sent(2)
    assert played.say("complete_task", "cto", step="confirm-2", code=CODE) is None
    played.wait(timedelta(days=3))
    said = f"{SMS}: nobody has done it\n{MAIL}: done by cto\nNothing hangs on cto alone."
    assert played.opened() == [("contact:cto", "cto does not answer", said)]
    assert played.incident.state.task("confirm-2").note == "said the code that was sent"


def test_the_code_that_was_sent_last_counts() -> None:
    """A notice that is sent anew takes the earlier code's worth, and another notice's code is none."""
    played = Asked()
    played.sent(1)
    played.sent(2)
    played.sent(1, code=codes.digest("AAAAA-AAAAA", codes.about(played.incident.state.id, 1)))
    refused = "that is not the code that was last sent for confirm-1"
    assert played.say("complete_task", "cto", step="confirm-1", code=CODE) == refused
    assert played.say("complete_task", "cto", step="confirm-1", code="aaaaa aaaaa") is None


def test_a_party_is_heard_with_a_note() -> None:
    """How it was heard goes on record, or it was not."""
    played = Asked()
    assert played.say("complete_task", "devops-lead", step="hear") == "hear is done with a note on how it was confirmed"
    assert played.say("complete_task", "devops-lead", step="hear", note="rang 1800") is None
    assert played.incident.state.task("hear").note == "rang 1800"


def _person(id_: str, *roles: str) -> dict[str, Any]:
    return {"id": id_, "roles": roles, "channels": [{"kind": "email", "address": f"{id_}@example.com"}]}


PEOPLE = (_person("ann", "ops"), _person("bob", "ops", "boss"), _person("cai", "legal"), _person("dee", "spare"))


def people(**approval: ApprovalRule) -> Organisation:
    contacts = tuple(Contact.model_validate(one) for one in PEOPLE)
    return organisation().model_copy(update={"contacts": contacts, "chain": ("boss",), "approval": approval})


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("ann", ["First on call in: outage"]),
        (
            "bob",
            [
                "Roles that nobody else holds: boss",
                "First on call in: outage",
                "Levels of the chain: 1",
                "Approvals that nobody could give without them: class A3",
                "Obligations that they sign: tell",
            ],
        ),
        (
            "cai",
            [
                "Roles that nobody else holds: legal",
                "Approvals that nobody could give without them: class A3, stop of outage",
                "Obligations that they own: tell",
            ],
        ),
        ("dee", ["Roles that nobody else holds: spare"]),
    ],
)
def test_what_hangs_on_whom(who: str, said: list[str]) -> None:
    """What others hold or could give as well is left out: an approval of which enough remain, whoever asks."""
    a2, a3 = ApprovalRule(roles=("ops",), quorum=1), ApprovalRule(roles=("boss", "legal"), quorum=2)
    there = people(A2=a2, A3=a3)
    steps = [
        {"id": name, "change": "test.rollback", "title": name, "approval": {"roles": [role], "quorum": 1}}
        for name, role in (("stop", "legal"), ("go", "incident-commander"))
    ]
    book = runbook(id="outage", on_call=["ops"], phases=[{"id": "one", "title": "One", "steps": steps}])
    duty = {
        "id": "tell", "title": "Tell", "basis": "law", "source": "s", "starts": "told_at", "owner": "legal",
        "signers": ["boss"], "due": {"within": "1h", "basis": "law", "source": "s"},
    }  # fmt: skip
    owed = Obligations.model_validate({"facts": [{"id": "told_at", "title": "Told"}], "obligations": [duty]})
    (contact,) = (one for one in there.contacts if one.id == who)
    assert [*duties(contact, there, owed, [book])] == said


def test_a_code_that_was_said_is_on_no_record_and_makes_no_difference_later() -> None:
    """Not in the entry that it caused, nor in its cause; run again, what it confirmed is confirmed."""
    played = Asked()
    played.sent(1)
    assert played.say("complete_task", "cto", step="confirm-1", code=CODE) is None
    assert CODE not in "".join(entry.canonical() for entry in played.entries)
    record = read(played.entries)
    assert Rehearser({}).rehearse(record, Documents.of(record.declaration)) == []
