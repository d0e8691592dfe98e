"""A sandbox's copy of the organisation's folder: the same, except that health checks point at the sandbox."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from activities import local_files
from starters.files.yaml_lines import read


def copy_organisation(
    folder: Path,
    into: Path,
    environment: str,
    health_host: str | None = None,
    databases: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:
    """Copy a folder into another one and return the copy; an earlier copy is replaced.

    In the copy every health check of `environments/<environment>.yaml` keeps its path but goes to `health_host`, if one
    is given, over HTTP; its `databases` have these fields. If the folder is the copy itself, it is changed in place.
    Raises `InvalidFile`.
    """
    copy = into / folder.resolve().name
    if folder.resolve() != copy.resolve():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    file = copy / "environments" / f"{environment}.yaml"
    document: dict[str, Any] = read(file).data
    for name, fields in (databases or {}).items():
        document["databases"][name].update(fields)
    for check in (document.get("health") or {}).values() if health_host else ():
        check["url"] = f"http://{health_host}{urlsplit(check['url']).path}"
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    local_files.write(file, f"# A sandbox's own copy: its health checks point at the sandbox.\n{text}".encode())
    return copy
