"""What a channel is: one way in which a page reaches a person."""

from abc import ABC, abstractmethod
from typing import ClassVar

from activities.action import Clients
from domain.model.activity_io import PageCall


class PageChannel(ABC):
    """Sends pages to addresses of one `kind`, as an organisation's contacts name it."""

    kind: ClassVar[str]

    def __init__(self, clients: Clients) -> None:
        self.clients = clients

    @abstractmethod
    def send(self, call: PageCall, address: str) -> str:
        """Send the page, in one attempt, and return the provider's reference.

        A repeat sends it again. Lets the provider's errors through; one that hangs takes the next channel's time, so
        AWS is called by `clients.once`.
        """
