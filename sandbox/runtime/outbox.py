"""The outbox: everything that a sandbox sent to people and to the public, one JSON object a line."""

import json
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from activities import local_files

Entry = dict[str, Any]


class Outbox:
    """Keeps deliveries in a file, oldest first, as `{at, channel, to, role, subject, body, incident}`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def deliver(
        self, *, channel: str, to: str, role: str | None, subject: str | None, body: str, incident: str | None
    ) -> None:
        """Append one delivery, with the current UTC time. A repeat is another delivery."""
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
            with local_files.appending(self._path) as file:
                file.write(f"{json.dumps(entry)}\n".encode())

    def entries(self) -> list[Entry]:
        """Read all deliveries, oldest first. A line still being written is left out."""
        if not self._path.exists():
            return []
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]
