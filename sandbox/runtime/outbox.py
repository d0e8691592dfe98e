"""The outbox: everything that a sandbox delivered to people and to the public, one JSON object a line."""

import json
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

Entry = dict[str, Any]


class Outbox:
    """Keeps deliveries in a file, in the order they came, as `{at, channel, to, role, subject, body, incident}`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def deliver(
        self, *, channel: str, to: str, role: str | None, subject: str | None, body: str, incident: str | None
    ) -> None:
        """Append one delivery, at the present time in UTC. Every call is a delivery of its own."""
        with self._lock:
            entry: Entry = {
                "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "channel": channel,
                "to": to,
                "role": role,
                "subject": subject,
                "body": body,
                "incident": incident,
            }
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def entries(self) -> list[Entry]:
        """Read everything delivered, oldest first; nothing when nothing was."""
        if not self._path.exists():
            return []
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]
