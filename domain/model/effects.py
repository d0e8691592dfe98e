"""What the rules want done outside; the workflow does it and tells the rules how it went."""

from typing import Literal

from pydantic import BaseModel

from domain.config.organisation import Contact
from domain.model.plan import Plan
from domain.model.state import ChangeRecord


class SendPage(BaseModel):
    """Reach one contact: by the first channel that takes it, or for a reminder by mail before any other."""

    kind: Literal["page"] = "page"
    page_id: str
    contact: Contact
    role: str
    subject: str
    body: str
    by_mail: bool = False


class SendNotice(BaseModel):
    kind: Literal["notice"] = "notice"
    step: str
    sequence: int


class StartChange(BaseModel):
    """Start a change's workflow; `undo` is the applied plan to reverse."""

    kind: Literal["change"] = "change"
    record: ChangeRecord
    undo: Plan | None = None


class TellChanges(BaseModel):
    """Tell changes in flight who the commander is, that they are cancelled, or that evidence is being preserved."""

    kind: Literal["tell"] = "tell"
    workflow_ids: tuple[str, ...]
    signal: Literal["commander_is", "cancel", "evidence_begun"]
    payload: dict[str, str]


class OpenIncident(BaseModel):
    """Declare an incident of another type beside this one."""

    kind: Literal["open"] = "open"
    type: str


Effect = SendPage | SendNotice | StartChange | TellChanges | OpenIncident
