"""The descriptions of AWS's services, read once a process."""

from functools import cache, partial

from botocore.loaders import JSONFileLoader


def keep() -> None:
    """Let clients and moto share what botocore has read; each of them parses megabytes anew otherwise."""
    read = cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
    setattr(JSONFileLoader, "load_file", lambda _self, path: read(path))  # noqa: B010 - mypy lets no method be replaced
