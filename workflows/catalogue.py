"""Every workflow that a worker serves."""

from workflows.change import Change
from workflows.follow_up import FollowUp
from workflows.incident import Incident
from workflows.key import IncidentKey

WORKFLOWS: tuple[type, ...] = (Incident, Change, IncidentKey, FollowUp)
