"""Headers that a source may add to every request: no credentials, and nothing that the HTTP client sets itself."""

import re
from collections.abc import Callable, Mapping

_NOT_ALLOWED = {
    *("accept-encoding", "authorization", "connection", "content-length", "content-type", "cookie", "expect", "host"),
    *("proxy-authorization", "te", "transfer-encoding", "upgrade"),
}


def header_check(rules: Mapping[str, str | None]) -> Callable[[dict[str, str]], dict[str, str]]:
    """Return a validator of a source's headers.

    `rules` are the provider's own: a name in lower case -> what the value must contain; None: not allowed.
    """

    def check(headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[ -~]*", value):
                raise ValueError(
                    f'"{name}" must be a name of letters, digits and -, with a value of printable ASCII; '
                    'for instance {"X-Tenant": "a"}'
                )
            needed = rules.get(name.lower(), "")
            if needed is None or name.lower() in _NOT_ALLOWED:
                raise ValueError(
                    f"{name} is not allowed here: credentials belong in the secret, or the archive sets it"
                )
            if needed not in value:
                raise ValueError(f"{name} must contain {needed}: the key itself belongs in the secret")
        if len({name.lower() for name in headers}) < len(headers):
            raise ValueError("the same name twice; upper and lower case are the same")
        return headers

    return check
