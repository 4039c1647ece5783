"""The model of a secret: credentials, as JSON in Secrets Manager."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

_PATTERN = "^[!-~]+$"


def _printable(value: SecretStr) -> SecretStr:
    if not re.fullmatch(_PATTERN, value.get_secret_value()):
        raise ValueError("must be printable ASCII without spaces: was a space or a line feed pasted with it?")
    return value


#: A key that fits into a header unchanged, and is masked when printed.
type Key = Annotated[SecretStr, AfterValidator(_printable), Field(json_schema_extra={"pattern": _PATTERN})]


class Secret(BaseModel):
    """The credentials of a source. Unknown fields are errors, and no error repeats a value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
