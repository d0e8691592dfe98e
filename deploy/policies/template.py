"""A CloudFormation template as text."""

import re
from typing import Any

import yaml

from deploy.policies.documents import Document

_SMALL, _WIDTH = 100, 4096
_QUOTED_PART = re.compile(r"(?<=!GetAtt )'([\w.]+)'")
_ONE_OR_MANY = frozenset({"Action", "Resource"})


class Filled(str):
    """A text whose `${…}` CloudFormation fills in."""

    __slots__ = ()


class Part(str):
    """What AWS gives a resource of the stack, such as its ARN."""

    __slots__ = ()


class _Template(yaml.SafeDumper):
    """Writes every value out, as CloudFormation knows no anchors, and a statement in a line: it takes 51,200 bytes."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - yaml asks for each value
        return True


def _filled(dumper: yaml.SafeDumper, value: Filled) -> yaml.Node:
    return dumper.represent_scalar("!Sub", str(value))


def _part(dumper: yaml.SafeDumper, value: Part) -> yaml.Node:
    return dumper.represent_scalar("!GetAtt", str(value))


def _listed(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.Node:
    names = all(isinstance(one, str) or (len(value) == 1 and "Effect" in one) for one in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=names or len(str(value)) < _SMALL)


def _small(dumper: yaml.SafeDumper, value: Document) -> yaml.Node:
    flat = not any(isinstance(one, dict | list) for one in value.values()) and len(str(value)) < _SMALL
    brief = flat or "Effect" in value or _is_brief(value)
    told = {name: _alone(one) if name in _ONE_OR_MANY else one for name, one in value.items()}
    return dumper.represent_mapping("tag:yaml.org,2002:map", told, flow_style=brief)


def _alone(value: Any) -> Any:
    """One text instead of a list of it: IAM takes both, and there is little room."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _is_brief(value: Document) -> bool:
    """A document of one statement."""
    return len(value.get("Statement", ())) == 1


_Template.add_representer(Filled, _filled)
_Template.add_representer(Part, _part)
_Template.add_representer(dict, _small)
_Template.add_representer(list, _listed)


def dumped(template: Document) -> str:
    """The template's text. The name of a part needs no quotes, which the dumper gives whatever has a tag."""
    return _QUOTED_PART.sub(r"\1", yaml.dump(template, Dumper=_Template, sort_keys=False, width=_WIDTH))
