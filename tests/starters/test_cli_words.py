"""The words that the terminal shows are those of the plan that it shows, whatever else an answer says."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from domain.model.plan import Plan
from domain.values.words import in_words
from starters.cli import plan_words
from starters.client import incident_client
from tests.domain.changing import plan
from tests.starters.backstage import Backstage
from tests.starters.conftest import Incident, Said

START = ("start", "system-outage", "--severity", "P0", "--title", "Portal down", "--json")
FALSE = "zoo zoo zoo zoo"
NONE = "none: another plan"

Forge = Callable[[dict[str, Any]], None]


def ok(said: Said) -> Said:
    assert said.status == 0, said.err
    return said


def as_answered(planned: Plan) -> dict[str, Any]:
    """A plan's document as it arrives."""
    document: dict[str, Any] = json.loads(planned.model_dump_json(by_alias=True))
    return document


@pytest.fixture
def there(incident: Incident, backstage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Incident:
    """The command, connected, with workers running."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    if not backstage._workers:
        backstage.start_workers()
    return incident


@pytest.fixture
def asked(there: Incident) -> str:
    """An incident with a rollback that waits for votes."""
    id_: str = ok(there(*START)).json["incident_id"]
    ok(there("ack", id_))
    ok(there("change", id_, "rollback"))
    return id_


@pytest.fixture
def forged(monkeypatch: pytest.MonkeyPatch) -> Callable[[Forge], None]:
    """Have every plan that is answered altered."""
    honest = incident_client.ask

    def forge(alter: Forge) -> None:
        async def ask(*given: Any) -> Any:
            answer = await honest(*given)
            for change in answer.get("changes", [answer]):
                if change["plan"]:
                    alter(change["plan"])
            return answer

        monkeypatch.setattr(incident_client, "ask", ask)

    return forge


def test_wherever_a_plan_is_shown_its_words_stand_beside_its_digest(there: Incident, asked: str) -> None:
    """In the tables and the documents of `show` and `change`, and once a vote is given."""
    (change,) = [one for one in ok(there("show", asked, "--json")).json["changes"] if one["step"] == "rollback"]
    words = in_words(change["plan"]["digest"])
    assert change["plan"]["words"] == words
    assert words in ok(there("show", asked)).out
    assert words in ok(there("watch", asked, "--once")).out
    again = ok(there("change", asked, "maintenance-page", "--json")).json["plan"]
    assert again["words"] == in_words(again["digest"]) != words
    ok(there("reject", asked, "maintenance-page", "--reason", "no", "--as", "technical-manager"))
    text = ok(there("change", asked, "maintenance-page")).out
    assert f"Words        {again['words']}" in text
    digest = ("--digest", change["plan"]["digest"])
    voted = ok(there("approve", asked, "rollback", *digest, "--as", "technical-manager", "--json")).json
    assert voted["plan"]["words"] == words


def test_words_that_come_with_an_answer_are_not_believed(
    there: Incident, asked: str, forged: Callable[[Forge], None]
) -> None:
    forged(lambda plan: plan.update(words=FALSE))
    state, said = ok(there("show", asked, "--json")).json, ok(there("show", asked)).out
    plans = [one["plan"] for one in state["changes"]]
    assert [one["words"] for one in plans] == [in_words(one["digest"]) for one in plans]
    assert FALSE not in said


def test_another_plan_that_is_whole_has_other_words(
    there: Incident, asked: str, forged: Callable[[Forge], None]
) -> None:
    """Who answers with a plan of his own, digest and all, has the words of that one shown: not those of the page."""
    (honest,) = [one["plan"] for one in ok(there("show", asked, "--json")).json["changes"]]

    def another(planned: dict[str, Any]) -> None:
        sealed = Plan.model_validate({**planned, "impact": "Nothing to speak of."}).sealed()
        planned.update(as_answered(sealed), words=honest["words"])

    forged(another)
    (shown,) = [one["plan"] for one in ok(there("show", asked, "--json")).json["changes"]]
    said = ok(there("show", asked)).out
    assert shown["words"] == in_words(shown["digest"]) != honest["words"]
    assert (shown["words"] in said, honest["words"] in said) == (True, False)


@pytest.mark.parametrize(
    "alter",
    [
        lambda plan: plan.update(impact="nothing much", words=FALSE),
        lambda plan: plan.update(digest="f" * 64),
        lambda plan: plan.pop("locks"),
    ],
    ids=["another impact", "another digest", "a part left out"],
)
def test_a_plan_that_is_not_of_its_digest_has_no_words_and_is_not_asked_about(
    there: Incident,
    asked: str,
    forged: Callable[[Forge], None],
    alter: Forge,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is shown as what it is; nobody is asked to approve what they do not see."""
    forged(alter)
    state, said = ok(there("show", asked, "--json")).json, ok(there("show", asked)).out
    assert [one["plan"]["words"] for one in state["changes"]] == [None]
    assert (FALSE not in said, NONE in said) == (True, True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    questions: list[str] = []

    def confirm(text: str, **_: Any) -> bool:
        questions.append(text)
        return True

    monkeypatch.setattr("click.confirm", confirm)
    refused = there("approve", asked, "rollback", "--as", "technical-manager")
    assert (refused.status, questions) == (1, [])
    assert f"{asked}/rollback/1 shows another plan than that of its digest" in refused.err


@pytest.mark.parametrize(
    "planned",
    [
        plan(),
        plan(moving=("revision",), takes_long=True, reversible=False),
        plan(before={"count": 5.0, "share": 0.1, "none": None}, after={"count": 6, "share": 1e300, "none": [1, "é"]}),
        plan(context={"at": {"cluster": "axis", "ids": [1, 2]}}),
    ],
    ids=["plain", "with every flag", "numbers", "with a context"],
)
def test_what_arrives_has_the_words_of_what_was_sealed(planned: Plan) -> None:
    """On the way through JSON a plan keeps its digest, whatever its values are."""
    assert plan_words.plan_words(as_answered(planned)) == in_words(planned.digest) == planned.words


def test_a_change_without_a_plan_has_no_words() -> None:
    assert plan_words.worded({"plan": None}) == {"plan": None}
