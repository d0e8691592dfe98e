"""Where what an environment names stands in an organisation's files, for whoever is told that it is missing."""

from pathlib import Path

from domain.config.names import items, mapping, written
from starters.files.organisation_folder import ORGANISATION
from starters.files.yaml_lines import read


def named_places(folder: Path, environment: str) -> dict[str, str]:
    """File and line, such as `environments/production.yaml:42`, by the keys that lead there: `trails.account`.

    Channels of contacts are by whose they are: `contacts.cto.channels[0]`. Raises `InvalidFile` for what is no YAML.
    """
    file = f"environments/{environment}.yaml"
    found = {written(at): f"{file}:{line}" for at, line in read(folder / file).lines.items()}
    people = read(folder / ORGANISATION)
    for number, contact in enumerate(map(mapping, items(people.data.get("contacts")))):
        for nth, _ in enumerate(items(contact.get("channels"))):
            line = people.line(("contacts", number, "channels", nth))
            found[f"contacts.{contact.get('id')}.channels[{nth}]"] = f"{ORGANISATION}:{line}"
    return found
