"""Caches for what botocore and moto compute again for each client, call, key or user pool."""

import inspect
from functools import cache, lru_cache, partial
from string import ascii_letters, digits
from typing import Any, cast

_WORDS = 4096


def install() -> None:
    """Install the caches. Call it before moto's EC2 is imported: the import reads the same megabytes four times."""
    _descriptions()
    _routes()
    _calls()
    _answers()
    _keys()


def _descriptions() -> None:
    """Let all clients, and moto, share the service models once read."""
    import botocore.httpsession
    import botocore.session
    from botocore.loaders import JSONFileLoader

    read = cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
    _put(JSONFileLoader, "load_file", lambda _self, path: read(path))
    _put(botocore.session, "create_loader", cache(botocore.session.create_loader))
    # no endpoint here speaks TLS, and still each client makes the context for it
    _put(botocore.httpsession, "create_urllib3_context", cache(botocore.httpsession.create_urllib3_context))


def _routes() -> None:
    """Let each service's routes be compiled once: moto makes them again at every call."""
    import re
    from importlib import import_module

    from moto.core.base_backend import BaseBackend
    from moto.s3.models import S3Backend

    fresh: Any = vars(BaseBackend)["urls"].fget
    made: dict[type, Any] = {}

    def urls(backend: Any) -> Any:
        if type(backend) not in made:
            made[type(backend)] = {re.compile(url): handler for url, handler in fresh(backend).items()}
        return made[type(backend)]

    _put(BaseBackend, "urls", property(urls))
    _put(S3Backend, "_url_module", property(lambda _backend: import_module("moto.s3.urls")))


def _calls() -> None:
    """Stop each call from escaping the user agent and listing everything that moto can answer."""
    import botocore.useragent
    import moto.backends
    import moto.core.responses
    import moto.core.utils
    from moto.core.loaders import create_loader
    from moto.moto_api._internal.moto_random import MotoRandom

    escaped = "sanitize_user_agent_string_component"
    _put(botocore.useragent, escaped, cache(getattr(botocore.useragent, escaped)))
    _put(botocore.useragent.UserAgentComponent, "to_string", cache(botocore.useragent.UserAgentComponent.to_string))
    _put(moto.core.responses, "method_names_from_class", _Methods)
    listed = tuple(moto.backends.list_of_moto_modules())  # moto lists its directory at every HTTP request
    _put(moto.backends, "list_of_moto_modules", lambda: listed)
    # and would look through the directories of all service models for each service
    _put(moto.core.utils, "create_loader", cache(create_loader))
    # draws the request id of every answer: one call for all letters, where moto makes one a letter
    _put(MotoRandom, "get_random_string", _letters)


def _answers() -> None:
    """Cache which attribute of a moto object holds each member of an answer, and the tokens of an expression.

    A DynamoDB attribute value has one member out of ten: look for that one only.
    """
    from moto.core.serialize import ResponseSerializer, XFormedAttributePicker
    from moto.dynamodb.comparisons import ConditionExpressionParser

    possible = XFormedAttributePicker.get_possible_keys
    known: dict[Any, tuple[str, ...]] = {}

    def keys(picker: Any, context: Any) -> tuple[str, ...]:
        of = (type(context.obj), context.key, context.shape, *picker.alias_providers)
        if of not in known:
            known[of] = tuple(possible(picker, context))
        return known[of]

    structure = ResponseSerializer._serialize_type_structure

    def serialize(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if not (shape.name == "AttributeValue" and type(value) is dict and value.keys() <= shape.members.keys()):
            structure(serializer, serialized, value, shape, key)
            return
        found = serializer.MAP_TYPE()
        for name in value:
            serializer._serialize(found, value[name], shape.members[name], name)
        serializer._default_serialize(serialized, found, shape, key)

    _put(XFormedAttributePicker, "get_possible_keys", keys)
    _put(ResponseSerializer, "_serialize_type_structure", serialize)
    word = lru_cache(_WORDS)(partial(ConditionExpressionParser._lex_one_node, cast("Any", ConditionExpressionParser)))
    _put(ConditionExpressionParser, "_lex_one_node", lambda _parser, rest: word(rest))


def _keys() -> None:
    """Parse the user pools' RSA key, a constant, once; and make the RSA key of symmetric KMS keys, never used, once."""
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
    """The names of a class's methods, including those patched in later."""

    def __init__(self, of: type) -> None:
        self._of = of

    def __contains__(self, name: str) -> bool:
        return inspect.isfunction(getattr(self._of, name, None))


def _letters(random: Any, length: int = 20, include_digits: bool = True, lower_case: bool = False) -> str:
    drawn = "".join(random.choices(ascii_letters + (digits if include_digits else ""), k=length))
    return drawn.lower() if lower_case else drawn


def _put(where: Any, name: str, what: Any) -> None:
    setattr(where, name, what)
