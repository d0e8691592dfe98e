"""Asking a contact to show that a channel reaches them: a one-time code, sent by exactly this channel, to be said back.

The code stands in the message alone. On record goes its digest, and nothing here logs or returns more.
"""

from activities.action import NoticeAction, Params, RuleError, iam
from activities.channels.kinds import CALLED, CHANNELS
from domain.config.organisation import Channel, Organisation
from domain.model.activity_io import Noticed
from domain.model.calls import PageCall, Scope
from domain.values import codes

_LONGEST_TITLE = 30
"""Of an organisation, in a text message, which holds the code and the whole of the command besides."""


class ContactCodeParams(Params):
    """Which `channel` of which contact. `organisation` is its title: it tells whoever reads it who is asking."""

    organisation: str
    contact: str
    role: str
    channel: Channel


class ContactCode(NoticeAction[ContactCodeParams]):
    """Sends a contact a new code by one of their channels; the next attempt sends another, and the last counts."""

    name = "contacts.code"
    audience = "a contact"
    inside = True
    permissions = iam("ses:SendEmail", "sms-voice:SendTextMessage SendVoiceMessage")

    def send(self, scope: Scope, params: ContactCodeParams, sequence: int) -> Noticed:
        """SESv2 `SendEmail`, or End User Messaging `SendTextMessage` or `SendVoiceMessage`; no other channel is tried.

        At least once: a message that AWS had taken before the attempt failed holds a code that counts no more.
        """
        code, kind = codes.new(), params.channel.kind
        title = params.organisation[:_LONGEST_TITLE].strip() if kind == "sms" else params.organisation
        said = ", ".join(code.replace("-", "")) if kind == "voice" else code
        call = PageCall(
            page_id=f"{scope.incident}/code/{sequence}",
            incident=scope.incident,
            to=params.contact,
            role=params.role,
            channels=(params.channel,),
            sender=scope.environment.notifications,
            subject=f"{title}: contact check",
            ledger_table=scope.environment.ledger_table,
            speed=1,
            body=f"Nothing is wrong. Answer: incident contact confirm {said} ({scope.incident})",
        )
        reference = CHANNELS[kind](self.clients, call, params.channel.address)
        digest = codes.digest(code, codes.about(scope.incident, sequence))
        return Noticed(reference=reference, text=self.words(scope, params), code=digest)

    def refuse(self, organisation: Organisation, params: ContactCodeParams) -> None:
        contact = organisation.contact(params.contact)
        if contact is None or params.channel not in contact.channels:
            raise RuleError(f"{params.contact} has no such channel by this worker's organisation.yaml")

    def words(self, scope: Scope, params: ContactCodeParams) -> str:  # noqa: ARG002 - the same in every incident
        return f"A code to {params.contact}, by {CALLED[params.channel.kind]}"
