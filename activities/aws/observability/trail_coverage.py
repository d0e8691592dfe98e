"""What a trail records, by its event selectors."""

from typing import Any, NamedTuple

_EQUALS, _NOT = "Equals", "NotEquals"
_HALVES = {"true": "ReadOnly", "false": "WriteOnly"}


class _Taken(NamedTuple):
    """What one selector takes of management events: whose reads or writes, of which sources.

    `sources` are the only ones, where it names some; `part` are the other fields that narrow it.
    """

    halves: set[str]
    excluded: set[str]
    sources: set[str]
    part: list[str]


def uncovered(selectors: dict[str, Any]) -> list[str]:
    """What management events a trail leaves out, in words; nothing when it records them all.

    `selectors` is the answer of `cloudtrail:GetEventSelectors`: basic ones, or advanced ones, which each record what
    all of their fields allow. Several together record what any of them does.
    """
    basic = [_of_basic(one) for one in selectors.get("EventSelectors") or ()]
    advanced = [_of_advanced(one) for one in selectors.get("AdvancedEventSelectors") or ()]
    taken = [one for one in (*basic, *advanced) if one is not None]
    by_half = {half: [one for one in taken if half in one.halves] for half in _HALVES.values()}
    recorded = [half for half, some in by_half.items() if some]
    if not recorded:
        return ["records no management events"]
    alone = [f"records {recorded[0]} events alone"] if len(recorded) == 1 else []
    return list(dict.fromkeys([*alone, *(gap for half in recorded for gap in _gaps(by_half[half]))]))


def _gaps(taken: list[_Taken]) -> list[str]:
    """What none of them takes of one half; a part is told by what narrows it, as nobody knows how large it is."""
    broad = [one for one in taken if not one.sources and not one.part]
    if broad:
        beside = set[str]().union(*(one.sources for one in taken if not one.part))
        return _without(set.intersection(*(one.excluded for one in broad)) - beside)
    narrow = min(taken, key=lambda one: len(one.part))
    named = [*(["eventSource"] if narrow.sources else []), *narrow.part]
    return [*(f"records a part alone, by {name}" for name in named), *_without(narrow.excluded)]


def _without(sources: set[str]) -> list[str]:
    return [f"leaves out {source}" for source in sorted(sources)]


def _of_basic(selector: dict[str, Any]) -> _Taken | None:
    """None for a selector of other events (API EventSelector: it includes management events by default)."""
    if not selector.get("IncludeManagementEvents", True):
        return None
    kind = selector.get("ReadWriteType", "All")
    halves = set(_HALVES.values()) if kind == "All" else {kind}
    return _Taken(halves, set(selector.get("ExcludeManagementEventSources") or ()), set(), [])


def _of_advanced(selector: dict[str, Any]) -> _Taken | None:
    """None for a selector of other events."""
    fields = {field["Field"]: field for field in selector.get("FieldSelectors") or ()}
    if "Management" not in fields.pop("eventCategory", {}).get(_EQUALS, ()):
        return None
    taken = _Taken(set(_HALVES.values()), set(), set(), [])
    for name, field in fields.items():
        if name == "readOnly" and set(field) == {"Field", _EQUALS}:
            taken.halves.intersection_update(_HALVES[one] for one in field[_EQUALS])
        elif name == "eventSource" and set(field) == {"Field", _NOT}:
            taken.excluded.update(field[_NOT])
        elif name == "eventSource" and set(field) == {"Field", _EQUALS}:
            taken.sources.update(field[_EQUALS])
        else:
            taken.part.append(name)
    return taken
