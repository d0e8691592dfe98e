"""Fakes of AWS services that take only what the real one would: requests are checked against botocore's model."""

from functools import cache
from typing import Any, ClassVar

import botocore.session
from botocore import xform_name
from botocore.validate import ParamValidator


class Checked:
    """A fake of `service`: each method that is named as an operation has its parameters checked first."""

    service: ClassVar[str]

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        if name.startswith("_") or name == "service" or name not in _shapes(self.service):
            return found

        def checked(**kwargs: Any) -> Any:
            report = ParamValidator().validate(kwargs, _shapes(self.service)[name])
            assert not report.has_errors(), report.generate_report()
            return found(**kwargs)

        return checked


@cache
def _shapes(service: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): model.operation_model(name).input_shape for name in model.operation_names}
