"""Headers that a source may add to every request: nothing secret, and nothing that is the client's own."""

import re
from typing import Annotated

from pydantic import AfterValidator

#: What a source may not say: credentials belong into the secret, the rest is the client's.
OWN = {
    *("accept-encoding", "authorization", "connection", "content-length", "content-type", "cookie", "expect", "host"),
    *("proxy-authorization", "referer", "te", "transfer-encoding", "upgrade"),
}
#: Where a header's value holds the secret's key.
API_KEY = "{api_key}"


def _harmless(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[ -~]*", value):
            raise ValueError(f"{name!r}: a name of letters, digits and `-`, and a value of printable ASCII")
        if name.lower() in OWN or (name.lower() == "x-api-key" and API_KEY not in value):
            raise ValueError(
                f"{name} cannot be set here: credentials belong into the secret, the Referer into `referer`"
            )
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("two headers of one name")
    return headers


type Headers = Annotated[dict[str, str], AfterValidator(_harmless)]
