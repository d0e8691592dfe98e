"""The search attributes that make the list of workflows readable."""

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from domain.values import ids

INCIDENT_TYPE = SearchAttributeKey.for_keyword(ids.INCIDENT_TYPE)
INCIDENT_SEVERITY = SearchAttributeKey.for_keyword(ids.INCIDENT_SEVERITY)
INCIDENT_STATUS = SearchAttributeKey.for_keyword(ids.INCIDENT_STATUS)
INCIDENT_MODE = SearchAttributeKey.for_keyword(ids.INCIDENT_MODE)
WAITING_FOR = SearchAttributeKey.for_keyword_list(ids.WAITING_FOR)
ALL = (INCIDENT_TYPE, INCIDENT_SEVERITY, INCIDENT_STATUS, INCIDENT_MODE, WAITING_FOR)


def pairs(incident_type: str, severity: str, mode: str) -> TypedSearchAttributes:
    """The search attributes that a workflow of an incident starts with."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(INCIDENT_TYPE, incident_type),
            SearchAttributePair(INCIDENT_SEVERITY, severity),
            SearchAttributePair(INCIDENT_MODE, mode),
        ]
    )
