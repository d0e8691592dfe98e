"""What botocore and moto work out anew for each client, call, key or user pool, worked out once a process."""

import inspect
from functools import cache, partial
from typing import Any, cast


def install() -> None:
    """Keep what comes out the same each time. Before moto's EC2 is imported: that reads megabytes four times over."""
    _descriptions()
    _calls()
    _keys()


def _descriptions() -> None:
    """Let all clients, and moto, share the services' descriptions that were read."""
    import botocore.session
    from botocore.loaders import JSONFileLoader

    read = cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
    _put(JSONFileLoader, "load_file", lambda _self, path: read(path))
    _put(botocore.session, "create_loader", cache(botocore.session.create_loader))


def _calls() -> None:
    """Spare each call the escaping of the user agent's parts, and the list of all that moto can answer."""
    import botocore.useragent
    import moto.core.responses

    escaped = "sanitize_user_agent_string_component"
    _put(botocore.useragent, escaped, cache(getattr(botocore.useragent, escaped)))
    _put(moto.core.responses, "method_names_from_class", _Methods)


def _keys() -> None:
    """Make the RSA key of user pools, which is a constant, once, and the one of symmetric keys, which nothing uses."""
    import moto.kms.models
    from joserfc._rfc7518.rsa_key import RSABinding

    checked = RSABinding.import_private_key
    imported = cache(lambda numbers: checked(cast("Any", dict(numbers))))
    _put(RSABinding, "import_private_key", staticmethod(lambda numbers: imported(tuple(numbers.items()))))
    private, symmetric = "generate_private_key", "SYMMETRIC_DEFAULT"
    generate = getattr(moto.kms.models, private)
    unused = cache(generate)
    _put(moto.kms.models, private, lambda spec: unused(spec) if spec == symmetric else generate(spec))


class _Methods:
    """The names of a class's methods, the ones that were added later among them."""

    def __init__(self, of: type) -> None:
        self._of = of

    def __contains__(self, name: str) -> bool:
        return inspect.isfunction(getattr(self._of, name, None))


def _put(where: Any, name: str, what: Any) -> None:
    setattr(where, name, what)
