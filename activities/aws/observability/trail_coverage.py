"""What a trail records, by its event selectors."""

from typing import Any

_EQUALS, _NOT = "Equals", "NotEquals"


def uncovered(selectors: dict[str, Any]) -> list[str]:
    """What management events a trail leaves out, in words; nothing when it records them all.

    `selectors` is the answer of `cloudtrail:GetEventSelectors`: basic ones, or advanced ones, which each record what
    all of their fields allow. Several together record what any of them does: the one that leaves out least is told.
    """
    basic = [_of_basic(one) for one in selectors.get("EventSelectors") or () if one.get("IncludeManagementEvents")]
    advanced = [_of_advanced(one) for one in selectors.get("AdvancedEventSelectors") or ()]
    found = [*basic, *(left_out for left_out in advanced if left_out is not None)]
    return min(found, key=len) if found else ["records no management events"]


def _of_basic(selector: dict[str, Any]) -> list[str]:
    kind, excluded = selector.get("ReadWriteType", "All"), selector.get("ExcludeManagementEventSources") or ()
    left_out = [] if kind == "All" else [f"records {kind} events alone"]
    return [*left_out, *(f"leaves out {source}" for source in excluded)]


def _of_advanced(selector: dict[str, Any]) -> list[str] | None:
    """None for a selector of other events."""
    fields = {field["Field"]: field for field in selector.get("FieldSelectors") or ()}
    if "Management" not in fields.pop("eventCategory", {}).get(_EQUALS, ()):
        return None
    left_out = []
    for name, field in fields.items():
        if name == "readOnly":
            left_out.append(f"records {'ReadOnly' if 'true' in field.get(_EQUALS, ()) else 'WriteOnly'} events alone")
        elif name == "eventSource" and set(field) == {"Field", _NOT}:
            left_out += [f"leaves out {source}" for source in field[_NOT]]
        else:
            left_out.append(f"records a part alone, by {name}")
    return left_out
