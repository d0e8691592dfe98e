"""What can happen to command: it is handed over, stays where it is, or goes to whoever acknowledges next."""

from datetime import datetime
from typing import ClassVar, Literal

from domain.model.events import Event
from domain.model.records import HandOver
from domain.values.timestamps import stamp


class CommandOffered(Event):
    """The commander offers command to somebody, who has until `until` to take it."""

    kind: Literal["hand-over"] = "hand-over"
    to: str
    until: datetime

    def sentence(self, actor: str) -> str:
        return f"{actor} offers command to {self.to}, who may take it until {stamp(self.until)}"


class CommandTaken(Event):
    """Whoever does it commands from now on. It holds the offer, as it was made and signed."""

    kind: Literal["command-taken"] = "command-taken"
    offer: HandOver
    says: ClassVar[str] = "{actor} takes command from {offer.by}"


class HandOverLapsed(Event):
    """Command was offered and not taken: whoever offered it keeps it."""

    kind: Literal["hand-over-lapsed"] = "hand-over-lapsed"
    to: str
    by: str
    says: ClassVar[str] = "{to} has not taken command: {by} keeps it"


class SignOfLifeAsked(Event):
    """Nothing was heard of whoever commands since `since`: without a sign until `until` the acknowledgement lapses."""

    kind: Literal["sign-of-life-asked"] = "sign-of-life-asked"
    commander: str
    since: datetime
    until: datetime

    def sentence(self, actor: str) -> str:
        since, until = stamp(self.since), stamp(self.until)
        return f"No sign of life of {self.commander} since {since}; the acknowledgement lapses at {until}"


class AcknowledgementLapsed(Event):
    """An acknowledgement is asked for again, and whoever gives it commands; until then the silent one does in name."""

    kind: Literal["acknowledgement-lapsed"] = "acknowledgement-lapsed"
    commander: str
    since: datetime

    def sentence(self, actor: str) -> str:
        return f"The acknowledgement has lapsed: no sign of life of {self.commander} since {stamp(self.since)}"
