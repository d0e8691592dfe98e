"""The state of a sandbox, saved in `sandbox.json` in its data directory."""

import os
from pathlib import Path

from pydantic import BaseModel

from activities import local_files

_HOST = "127.0.0.1"
AWS_KEYS = ("sandbox", "sandbox")
"""Access key id and secret; moto accepts any."""
MARK = "INCIDENT_SANDBOX"
"""Every process of a sandbox has this variable, set to the data directory's absolute path."""


class Files:
    """A sandbox's files. `data_dir` identifies the sandbox; symbolic links to it are resolved."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = Path(os.path.realpath(data_dir))
        self.state = self.data_dir / "sandbox.json"
        self.lock = self.data_dir / "sandbox.lock"
        self.outbox = self.data_dir / "outbox.jsonl"
        self.temporal = self.data_dir / "temporal.db"
        self.runbooks = self.data_dir / "runbooks"
        self.logs = self.data_dir / "logs"

    def log(self, service: str) -> Path:
        return self.logs / f"{service}.log"


class State(BaseModel):
    """One started sandbox. `pids` are process ids by service; `supervisor` is the foreground process's, if any.

    `keeper` is the process that starts Temporal again, `codec_key` the KMS key that payloads are encrypted under.
    """

    port_base: int
    environment: str
    region: str
    runbooks: Path
    acting_as: str
    status_page_key: str
    pids: dict[str, int] = {}
    supervisor: int | None = None
    keeper: int | None = None
    codec_key: str = ""
    stopping: bool = False

    @property
    def temporal_port(self) -> int:
        return self.port_base

    @property
    def ui_port(self) -> int:
        return self.port_base + 1

    @property
    def aws_port(self) -> int:
        return self.port_base + 2

    @property
    def page_port(self) -> int:
        return self.port_base + 3

    @property
    def codec_port(self) -> int:
        return self.port_base + 5

    @property
    def page_url(self) -> str:
        return f"http://{_HOST}:{self.page_port}"

    @property
    def ui_url(self) -> str:
        return f"http://{_HOST}:{self.ui_port}"

    def variables(self) -> dict[str, str]:
        """The environment variables with which commands and workers reach this sandbox and nothing else."""
        return {
            "TEMPORAL_ADDRESS": f"{_HOST}:{self.temporal_port}",
            "TEMPORAL_NAMESPACE": "default",
            "TEMPORAL_UI": self.ui_url,
            "AWS_ENDPOINT_URL": f"http://{_HOST}:{self.aws_port}",
            "AWS_ENDPOINT_URL_PI": f"{self.page_url}/pi",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": AWS_KEYS[0],
            "AWS_SECRET_ACCESS_KEY": AWS_KEYS[1],
            "STATUSPAGE_URL": self.page_url,
            "STATUSPAGE_API_KEY": self.status_page_key,
            "INCIDENT_ENVIRONMENT": self.environment,
            "INCIDENT_RUNBOOKS": str(self.runbooks),
            "INCIDENT_AS": self.acting_as,
            **self._encryption(),
        }

    def _encryption(self) -> dict[str, str]:
        if not self.codec_key:
            return {}
        endpoint = f"http://{_HOST}:{self.codec_port}"
        return {"INCIDENT_CODEC_KEY": self.codec_key, "TEMPORAL_CODEC_ENDPOINT": endpoint}


def read(files: Files) -> State | None:
    """Read the state; None if no sandbox was started there, or it was stopped."""
    if not files.state.exists():
        return None
    return State.model_validate_json(files.state.read_text(encoding="utf-8"))


def write(files: Files, state: State) -> None:
    """Save the state atomically, readable by its owner only: it holds the status page's key."""
    local_files.write(files.state, f"{state.model_dump_json(indent=2)}\n".encode())
