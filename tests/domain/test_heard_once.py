"""What an incident is told again and again: news of a change once, alerts up to a number an hour."""

from datetime import timedelta

from domain.model.activity_io import Planned
from domain.model.commands import Approve
from domain.model.declaration import Alert
from domain.model.timeline import Timeline
from domain.rules.change import LiveChange
from domain.rules.change_messages import ChangeNews, ChangeRequest, Life
from domain.rules.live import LiveIncident
from domain.rules.refusals import WINDOW, WRITTEN
from domain.values import limits
from tests.activities.report_worlds import Played
from tests.builders import T0, declaration, minutes
from tests.domain.changing import plan


def asked() -> tuple[LiveIncident, LiveChange]:
    """An incident of T0, and the workflow of its rollback, which has said nothing yet."""
    played = Played(declaration())
    played.say("request_change", "devops-lead", step="rollback")
    incident = played.incident
    (record,) = incident.state.changes
    change = LiveChange(ChangeRequest.of(incident.state, record))
    change.planned(Planned(plan=plan()), played.now + minutes(1))
    return incident, change


def told(change: LiveChange) -> ChangeNews:
    news = change.news()
    assert news is not None
    return news


def test_news_is_taken_once() -> None:
    """The same again is no refusal, no entry and no page; what comes after it is heard."""
    incident, change = asked()
    at = T0 + minutes(2)
    news = told(change)
    assert incident.hear_change(news, at) is None
    length, pages = incident.timeline.length, len(incident.state.pages)
    for _ in range(40):
        assert incident.hear_change(news, at + minutes(1)) is None
    assert (incident.timeline.length, len(incident.state.pages)) == (length, pages)
    change.failed("no answer", at + minutes(2))
    assert incident.hear_change(told(change), at + minutes(2)) is None
    assert incident.state.changes[0].status == "failed"


def test_a_change_that_is_begun_anew_is_heard() -> None:
    """Its numbers go on above those of its lost life; news of that life is not taken."""
    incident, change = asked()
    at = T0 + minutes(2)
    old = told(change)
    incident.hear_change(old, at)
    (record,) = incident.state.changes
    anew = LiveChange(ChangeRequest.of(incident.state, record, told=incident.heard[record.workflow_id]))
    anew.failed("no answer", at - minutes(2))
    news = told(anew)
    assert news.events[0].number == old.events[-1].number + 1001
    incident.hear_change(news, at)
    assert incident.state.changes[0].status == "failed"


def test_the_numbers_go_on_in_the_next_run() -> None:
    """What was said in the run before is kept, to be said again."""
    _, change = asked()
    at = T0 + minutes(1)
    first = told(change)
    following = change.next_run(at, by_signal=True, wait_for_evidence=None)
    change = LiveChange(ChangeRequest.model_validate_json(following.model_dump_json()))
    change.failed("no answer", at)
    assert [one.number for one in told(change).events] == [first.events[-1].number + 1]
    change.goes_on(Life(term=2, heard=1))
    assert [one.number for one in told(change).events] == [2, 3]


def test_a_server_whose_clock_is_set_back() -> None:
    """What a change says goes on being heard, in the next run too."""
    incident, change = asked()
    at = T0 + minutes(30)
    change.refuse("approve", "cto", "too early", at)
    assert incident.hear_change(told(change), at) is None
    back = at - minutes(25)
    incident.refuse("note", "cto", "empty", back)
    incident.timeline.drop(incident.timeline.length, 1)
    timeline = Timeline.model_validate_json(incident.timeline.model_dump_json())
    following = LiveIncident(incident.state, timeline, incident.refusals, incident.heard)
    following.refuse("note", "cto", "empty", back)
    change.failed("no answer", at)
    assert following.hear_change(told(change), back) is None
    assert following.state.changes[0].status == "failed"
    assert following.timeline.entries[-1].at == back


def test_alerts_beyond_a_number_are_counted() -> None:
    """A thousand within an hour are fifty entries, and a reason for each other; the next hour's are heard again."""
    incident = LiveIncident.declared(declaration())
    alert, length = Alert(by="monitoring", text="y" * 3900), incident.timeline.length
    reasons = [incident.hear_alert(alert, T0 + timedelta(seconds=one)) for one in range(1000)]
    assert [one is None for one in reasons] == [True] * WRITTEN + [False] * (1000 - WRITTEN)
    assert incident.timeline.length == length + WRITTEN
    assert incident.hear_alert(alert, T0 + WINDOW) is None


def test_an_alert_that_reopens_is_heard_whatever_came_before() -> None:
    played = Played(declaration())
    incident = played.incident
    alert = Alert(by="monitoring", text="again")
    for _ in range(WRITTEN + 5):
        incident.hear_alert(alert, played.now)
    played.say("acknowledge", "devops-lead")
    played.say("mitigated", "devops-lead", summary="m")
    played.say("resolve", "devops-lead", summary="r")
    assert incident.hear_alert(alert, played.now) is None
    assert incident.state.status == "declared"
    assert incident.hear_alert(alert, played.now) is not None


def test_numbers_that_are_in_no_order_are_refused() -> None:
    """Nor may one be so far ahead that everything honest behind it would be taken for known."""
    incident, change = asked()
    news = told(change)
    assert [one.number for one in news.events] == [1, 2]
    for numbers in ([2, 1], [1, 1], [2, 3000]):
        pairs = zip(news.events, numbers, strict=True)
        said = [one.model_copy(update={"number": number}) for one, number in pairs]
        assert incident.hear_change(news.model_copy(update={"events": said}), T0) == "it is not numbered in order"
    assert incident.hear_change(news, T0 + minutes(2)) is None


def test_of_very_many_refusals_the_oldest_go() -> None:
    """Everything else is kept; what a change has to say fits into its next run, with votes of any length refused."""
    incident, change = asked()
    for minute in range(400):
        said = Approve(by="cto", digest="0" * 64, comment="\N{GRINNING FACE}" * 4000)
        change.hear("approve", said, T0 + minutes(minute))
    following = change.next_run(T0 + minutes(400), by_signal=False, wait_for_evidence=None)
    assert len(following.model_dump_json().encode()) < 1_000_000
    assert [one.event.kind for one in change.said.events[:2]] == ["plan", "approval-asked"]
    while (news := change.news()) is not None:
        assert len(news.model_dump_json().encode()) < limits.NEWS
        assert incident.hear_change(news, T0 + minutes(400)) is None
    assert change.said.unheard == []


def test_what_a_lost_life_said_silences_no_new_one() -> None:
    """Whoever copies it out of the history has it taken, and what is new is heard all the same."""
    incident, change = asked()
    at = T0 + minutes(2)
    old = told(change)
    incident.hear_change(old, at)
    change.refuse("approve", "cto", "too early", at)
    copied = told(change)
    (record,) = incident.state.changes
    anew = LiveChange(ChangeRequest.of(incident.state, record, told=incident.heard[record.workflow_id]))
    incident.hear_change(copied, at)
    anew.failed("no answer", at)
    incident.hear_change(told(anew), at)
    assert incident.state.changes[0].status == "failed"
