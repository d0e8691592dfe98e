"""A ledger that a watcher looks at, with incidents written to it as workers write them, and what people were sent."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from activities.channels.copies import Copy
from activities.channels.paging import Pager
from activities.declared import OnRecord
from activities.ledger.store import LedgerStore
from activities.ledger.table import Item, Table, keys, text
from activities.ledger.terms import end_key
from activities.watching.notebook import Notebook
from activities.watching.watcher import Watcher
from domain.config.organisation import Channel
from domain.model.activity_io import AppendCall
from domain.model.declaration import Declaration
from domain.model.event_kinds import ENDING
from domain.model.silence import Found, Silence
from domain.model.timeline import Entry
from domain.rules.evolve import begun
from domain.rules.ledger_progress import BATCH
from tests.activities.aws_calls import RecordedAws, recorded_aws
from tests.activities.telephones import telephones
from tests.activities.world import create_table
from tests.builders import T0, declaration
from tests.house import FixedHouse, house_of


class Watched:
    """One environment. `at` is the time in its store."""

    def __init__(self, aws: RecordedAws, house: FixedHouse) -> None:
        self.aws = aws
        self.house = house
        self.at = T0
        self.table = Table(aws, house.environment().ledger_table)
        self.watcher = self.another()

    def another(self, clients: Any = None) -> Watcher:
        """A watcher in a process of its own, with clients of its own if it is to be cut."""
        used = clients or self.aws
        return Watcher(used, self.house, Pager(used), lambda _: self.at)

    def write(self, incident: str, *entries: Entry) -> None:
        """Have entries of an incident on record, as the hands write them, whatever release they are of."""
        for first in range(0, len(entries), BATCH):
            batch = list(entries[first : first + BATCH])
            beside = [declared_item(incident, one) for one in batch if one.seq == 1]
            beside += [{**end_key(incident), "at": text(one.at.isoformat())} for one in batch if one.kind in ENDING]
            call = AppendCall(incident=incident, environment=self.house.environment().name, epoch=1, entries=batch)
            LedgerStore(self.aws, self.house.environment()).append(call, beside)

    def send(self, page_id: str, at: datetime) -> None:
        """Have the hands send a page of an incident, as far as their own record goes."""
        copy = Copy(channel="sms", at=at, outcome="sent", reference="x")
        item = {**keys(f"page#{page_id}", "0001"), "outcome": text("sent"), "content": text(copy.model_dump_json())}
        self.table.put(item)

    def looks(self, at: datetime | timedelta | None = None, watcher: Watcher | None = None) -> list[Found]:
        self.at = T0 + at if isinstance(at, timedelta) else at or self.at
        return (watcher or self.watcher).look()

    def pages(self) -> list[tuple[str, str]]:
        """What went out since this was asked last, by the contact's address: whom, and the subject or text."""
        sent = [("mail", one) for one in self.aws.sent("SendEmail")]
        sent += [("text", one) for one in self.aws.sent("SendTextMessage")]
        self.aws.calls.clear()
        names = {
            channel.address: contact.id
            for contact in self.house.organisation().contacts
            for channel in contact.channels
        }
        return sorted(
            (names[one["Destination"]["ToAddresses"][0]], one["Content"]["Simple"]["Subject"]["Data"])
            if kind == "mail"
            else (names[one["DestinationPhoneNumber"]], one["Context"]["subject"])
            for kind, one in sent
        )

    def mailed(self) -> list[str]:
        """The mails that went out since this was asked last, as their readers have them."""
        sent = self.aws.sent("SendEmail")
        self.aws.calls.clear()
        return [one["Content"]["Simple"]["Body"]["Text"]["Data"] for one in sent]

    def give_mail(self) -> None:
        """Give everybody a mailbox behind their telephone."""
        people = self.house.people
        mailbox = (Channel(kind="email", address="lead@example.com"),)
        contacts = tuple(one.model_copy(update={"channels": one.channels + mailbox}) for one in people.contacts)
        self.house.people = people.model_copy(update={"contacts": contacts})

    def silences(self, incident: str) -> list[Silence]:
        return list(Notebook(self.table).silences(incident))


def declared_item(incident: str, first: Entry) -> Item:
    """What goes on record beside the first entry of an incident."""
    declaration = begun(first).declaration
    known = OnRecord(
        runbook=declaration.runbook_digest,
        mode=declaration.mode,
        speed=declaration.speed,
        declared_at=declaration.declared_at,
        declared_by=declaration.declared_by,
    )
    return {**keys(f"declared#{incident}", "declared"), "content": text(known.model_dump_json())}


@contextmanager
def watched(declared: Declaration | None = None) -> Iterator[Watched]:
    with recorded_aws() as aws:
        house = house_of(declared or declaration())
        create_table(aws.client("dynamodb"), house.environment().ledger_table)
        aws.client("sesv2").create_email_identity(EmailIdentity=house.environment().notifications.mail_sender)
        telephones()
        aws.calls.clear()
        yield Watched(aws, house)


def all_at_once(*work: Callable[[], Any]) -> list[Any]:
    """Do all of it beside each other."""
    with ThreadPoolExecutor(len(work)) as threads:
        return [one.result() for one in [threads.submit(each) for each in work]]
