"""Every workflow that a worker serves."""

from workflows.change import Change
from workflows.dedup_key import IncidentKey
from workflows.drill import Drill
from workflows.follow_up import FollowUp
from workflows.incident import Incident
from workflows.restore import Restore
from workflows.scheduled import Scheduled

WORKFLOWS: tuple[type, ...] = (Incident, Change, IncidentKey, FollowUp, Restore, Scheduled, Drill)
