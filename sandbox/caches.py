"""What botocore and moto work out anew for each client, call or user pool, worked out once a process."""

from functools import cache, partial
from typing import Any, cast


def install() -> None:
    """Keep what comes out the same each time. Before moto's EC2 is imported: that reads megabytes four times over."""
    import botocore.session
    from botocore.loaders import JSONFileLoader

    read = cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
    _put(JSONFileLoader, "load_file", lambda _self, path: read(path))
    _put(botocore.session, "create_loader", cache(botocore.session.create_loader))

    import botocore.useragent
    import moto.core.responses

    for module, name in (
        (botocore.useragent, "sanitize_user_agent_string_component"),
        (moto.core.responses, "method_names_from_class"),
    ):
        _put(module, name, cache(getattr(module, name)))

    from joserfc._rfc7518.rsa_key import RSABinding

    checked = RSABinding.import_private_key
    key = cache(lambda numbers: checked(cast("Any", dict(numbers))))
    _put(RSABinding, "import_private_key", staticmethod(lambda numbers: key(tuple(numbers.items()))))


def _put(where: Any, name: str, what: Any) -> None:
    setattr(where, name, what)
