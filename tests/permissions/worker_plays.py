"""What workers ask AWS for beside their actions: the record, pages, locks, roles, data keys, faults of drills."""

from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws

from activities.aws.shared.bearers import Bearer
from activities.changes.giving_back import release as give_back
from activities.changes.plans import MadePlan, Plans
from activities.changes.runner import ChangeRunner
from activities.channels.paging import Pager
from activities.channels.sent import Attempt
from activities.drills import Faults
from activities.ledger.appending import Appender
from activities.ledger.restoring import Restorer
from activities.ledger.store import LedgerStore
from activities.ledger.table import Table
from activities.ledger.terms import SupersededError, Terms
from activities.permissions.roles import LEDGER, OUTSIDE, PREFLIGHT, WORKER, roles
from activities.permissions.statements import heartbeat_namespace, role_name
from activities.report_store import store_report
from activities.strange_requests import Strange, StrangeRequestError
from activities.watching.sheets import Sheets
from activities.watching.watcher import Watcher
from authority.claims import Act, Claim
from authority.register import Register
from codec.data_keys import DataKeys
from domain.config.environment import Environment
from domain.config.schedule import Schedule
from domain.model.activity_io import AppendCall, FollowCall, GivenUp, PlanNamed, ReleaseRequest
from domain.model.declaration import Declaration
from domain.model.drill import FaultCall
from domain.model.restoring import RestorableCall, RestoreCall
from domain.values.ids import FORENSICS_QUEUE, NOTIFY_QUEUE, REMEDIATE_QUEUE
from tests.activities.fake_lambda import FakeLambda
from tests.activities.ledger_worlds import EVIDENCE, ledger_and_vault, place
from tests.activities.scopes import NOW, TEXTS_BY, scope
from tests.activities.telephones import telephones
from tests.activities.test_paging import EMAIL, SMS, VOICE, page
from tests.activities.test_restoring import outage
from tests.activities.witnessing import FakeSts, by_aws, key_of, looked
from tests.activities.world import WorldClients, create_ledger
from tests.domain.changing import plan
from tests.house import FixedHouse, about, house_of
from tests.people import HOME
from tests.permissions.calls import Calls
from tests.permissions.resources import CODEC_ALIAS
from tests.proven import DAY, Proving
from tests.records import INCIDENT
from worker.heartbeat import sign


def release(calls: Calls) -> None:
    """What the workflow does once a change has failed, or was decided against, and when a later life goes on."""
    with mock_aws():
        clients = WorldClients()
        create_ledger(clients)
        where, planned_once = scope(environment=place()), plan()
        made = MadePlan(plan=planned_once, params={}, requested_by="cto", at=NOW)
        Plans(Table(clients, place().ledger_table)).put(where.incident, "s", 1, made)
        rejected = GivenUp(status="rejected", reason="look first", by="cto")
        given_up = ReleaseRequest(about=about(where), step="s", generation=2, given_up=rejected)
        with calls.under(REMEDIATE_QUEUE, place()):
            asked = ReleaseRequest(
                about=about(where), step="s", generation=1, digest=planned_once.digest, unverified="NotYet"
            )
            give_back(clients, FixedHouse(place()), ChangeRunner(clients), asked, NOW)
            for _ in range(2):
                give_back(clients, FixedHouse(place()), ChangeRunner(clients), given_up, NOW)
        Terms(Table(clients, place().ledger_table)).take(where.incident, "the next life")
        later = given_up.model_copy(update={"generation": 3})
        with calls.under(REMEDIATE_QUEUE, place()), pytest.raises(SupersededError):
            give_back(clients, FixedHouse(place()), ChangeRunner(clients), later, NOW)


def record(calls: Calls) -> None:
    """An incident's entries are written and signed twice over, its report is stored, and it is restored."""
    with ledger_and_vault() as clients:
        kms = clients.inner.client("kms")
        kms.create_alias(AliasName=EVIDENCE["kms_key"], TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
        played, where = outage(), place()
        declared = played.incident.state.declaration
        with calls.under(LEDGER, where):
            store, appender = LedgerStore(clients, where), Appender(clients, house_of(declared))
            for _ in range(2):
                appender.append(
                    AppendCall(incident=INCIDENT, environment=where.name, epoch=1, entries=list(played.entries))
                )
            store_report(clients, where, "UTC", INCIDENT, NOW)
            restorer = Restorer(clients, FixedHouse(where))
            restorer.open_ones(RestorableCall())
            restorer.open_ones(RestorableCall(key="key/x"))
            restorer.restore(RestoreCall(incident=INCIDENT, holder="run-1"), INCIDENT)
            store.follow_once(_following(where))
            staging = place(kind="staging")
            house = FixedHouse(staging)
            house.keys = Register([key_of("cto")])
            claim = {"organisation": HOME, "environment": staging.name, "incident": INCIDENT, "act": Act.CLOSE}
            held = {"subject": "0" * 64, "by": "cto", "at": NOW, "expires": NOW + DAY, "nonce": "0f" * 16}
            assert looked(FakeSts(), clients, house, by_aws(Claim.model_validate({**claim, **held}))).proven


def _following(where: Environment) -> FollowCall:
    said: dict[str, Any] = {"actor": "worker", "kind": "reminded", "text": "due", "data": {}}
    return FollowCall(incident=INCIDENT, environment=where.name, number=1, term=2, at=NOW, **said)


def faults(calls: Calls) -> None:
    """What a drill injects and withdraws."""
    where = place().model_copy(update={"kind": "staging", "faults": {"bad": "breaker"}})
    faults = Faults(WorldClients(instead={"lambda": FakeLambda()}), FixedHouse(where))
    call = FaultCall(id="drill", environment=where.name, fault="bad")
    with mock_aws(), calls.under(REMEDIATE_QUEUE, where):
        faults.inject(call)
        faults.withdraw(call)


def assume(calls: Calls) -> None:
    """A worker becomes each of the roles that its queues need, preflight the one that puts locked objects."""
    with mock_aws():
        where = place()
        sts = WorldClients().inner.client("sts")
        with calls.under(WORKER, where):
            for role in roles():
                if role not in OUTSIDE:
                    sts.assume_role(**_session(where, role), **_FOR_SOMEBODY.asked)
        with calls.under(PREFLIGHT, where):
            sts.assume_role(**_session(where, FORENSICS_QUEUE))


def encrypt(calls: Calls) -> None:
    """A worker makes data keys, reads by them, and looks up what a key's alias is."""
    with mock_aws():
        where = place()
        kms = WorldClients().inner.client("kms")
        kms.create_alias(AliasName=CODEC_ALIAS, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
        with calls.under(WORKER, where):
            made = DataKeys(kms, (CODEC_ALIAS,)).current()
            assert DataKeys(kms, (CODEC_ALIAS,)).find(made.key, made.wrapped)


_FOR_SOMEBODY = Bearer("inc-20261123-7f3k,cto", "cto", (("incident", "inc-20261123-7f3k"),))


def _session(where: Environment, role: str) -> dict[str, str]:
    arn = where.arn("iam", f"role/{role_name(role, where)}")
    return {"RoleArn": arn, "RoleSessionName": f"incident-{role}"}


def watch(calls: Calls) -> None:
    """A silent incident is found, paged about and restored, and what is over and a schedule are noted.

    Strange requests are noted by all hands, and told.
    """
    with ledger_and_vault() as clients:
        clients.inner.client("sesv2").create_email_identity(EmailIdentity="incidents@example.com")
        telephones()
        played, where = outage(), place()
        declared = played.incident.state.declaration
        house = house_of(declared)
        house.rows = {"drift": Schedule(id="drift", declares="drift", at="04:00")}
        over = _over(declared)
        for incident, entries in ((INCIDENT, played.entries), (over.incident.state.id, over.entries)):
            Appender(clients, house).append(
                AppendCall(incident=incident, environment=where.name, epoch=1, entries=list(entries))
            )
        strange = StrangeRequestError("elsewhere", Strange.ELSEWHERE)
        for role in (REMEDIATE_QUEUE, LEDGER, FORENSICS_QUEUE, NOTIFY_QUEUE):
            with calls.under(role, where):
                Sheets(house).note(clients, strange, "people.page", INCIDENT, datetime.now(UTC))
        with calls.under(NOTIFY_QUEUE, where):
            watcher = Watcher(clients, house, Pager(clients))
            watcher.is_the_one()
            (found,) = watcher.look()
            watcher.note_restore(found, "restore/x")
            watcher.restoring(found)
            watcher.leave()


def _over(declared: Declaration) -> Proving:
    """An incident that has ended long ago, and left nothing to do."""
    played = Proving(declared.model_copy(update={"incident_id": "inc-20261123-0ver"}))
    played.say("false_alarm", "devops-lead", reason="a test")
    return played


def pages(calls: Calls) -> None:
    with mock_aws():
        clients = WorldClients()
        clients.inner.client("sesv2").create_email_identity(EmailIdentity="incidents@example.com")
        create_ledger(clients, place().ledger_table)
        telephones()
        with calls.under(NOTIFY_QUEUE, place()):
            for channel in (SMS, VOICE, EMAIL):
                call = page(channel, text_configuration_set=TEXTS_BY, ledger_table=place().ledger_table)
                named = PlanNamed(step="s", generation=1, digest=plan().digest)
                of_its_own = call.model_copy(update={"page_id": f"page-by-{channel.kind}", "plan": named})
                Pager(clients).page(of_its_own, Attempt(2, NOW, NOW))
            sign(clients, heartbeat_namespace(place()))
