"""Everything that can go wrong, told apart by who can mend it.

ArchiveFailure
├── ConfigError      the operator: a source, a secret or an event is wrong
├── ProviderError    the provider's API; `issue` says how, and becomes the window's issue
│   ├── ForbiddenError      401, 403, address or Referer not admitted
│   ├── ThrottledError      429, or its like in the body
│   │   └── QuotaError      a quota is used up: no use asking again within a visit
│   ├── UnavailableError    5xx, time-outs, connections cut
│   │   └── LinkExpiredError  403, 404 or 410 from a link: it must be listed anew
│   ├── MalformedError      an answer that is not what the API promises: no zip, cut, encrypted, a bomb, HTML
│   ├── MismatchError       pages that do not add up to the total, or a total that moves
│   └── TooLargeError       more than one visit can hold, and nothing left to split
├── OutOfTimeError   the invocation's time is used up; the window comes back
├── LostClaimError   another worker holds the window now; stop without a trace
└── ArchiveError     our own AWS refused or contradicted itself
"""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ValidationError

if TYPE_CHECKING:
    from logarchive.part import Part

type Issue = Literal[
    "forbidden",
    "throttled",
    "unavailable",
    "malformed",
    "truncated",
    "shrunk",
    "mismatch",
    "too_large",
    "expired",
]


class ArchiveFailure(Exception):  # noqa: N818 (the root of a tree whose leaves end in Error)
    """The root of all errors this package raises itself."""


class ConfigError(ArchiveFailure):
    """A source, secret, setting or event is wrong; the message names the field and the reason."""


class ProviderError(ArchiveFailure):
    """The provider's API failed a visit; nothing may be sealed on it."""

    issue: ClassVar[Issue] = "unavailable"
    #: Whether another attempt within the same visit may help.
    retryable: bool = False
    #: The wait the provider asked for, if it named one.
    retry_after_seconds: float | None = None
    #: The answer that failed, with the role `error`, to be kept in raw; None where no answer came.
    part: "Part | None" = None


class ForbiddenError(ProviderError):
    """The provider refused our credentials, address or Referer."""

    issue = "forbidden"


class ThrottledError(ProviderError):
    """The provider asks us to slow down."""

    issue = "throttled"
    retryable = True


class QuotaError(ThrottledError):
    """A quota is used up; it comes back after hours, not seconds."""

    retryable = False


class UnavailableError(ProviderError):
    """The provider did not answer, or answered that it cannot now."""

    issue = "unavailable"
    retryable = True


class LinkExpiredError(UnavailableError):
    """A download link is not, or no longer, valid: list anew and try the new one once."""

    retryable = False


class TooMuchError(UnavailableError):
    """The provider cannot answer for so long a range; its halves are asked for."""


class MalformedError(ProviderError):
    """The answer is not what the API promises; its bytes are kept as an `error` part."""

    issue = "malformed"


class MismatchError(ProviderError):
    """The pages of an answer did not add up to its total, or the total moved while reading."""

    issue = "mismatch"


class TooLargeError(ProviderError):
    """A window at its smallest holds more than one visit can carry."""

    issue = "too_large"


class OutOfTimeError(ArchiveFailure):
    """The invocation's time is used up."""


class LostClaimError(ArchiveFailure):
    """The window's claim has passed to another worker."""


class ArchiveError(ArchiveFailure):
    """Our own AWS refused, or answered what cannot be."""


def reasons(error: ValidationError) -> str:
    """Say what is wrong with a document, field by field, without repeating a value."""
    return "; ".join(_reason(item) for item in error.errors(include_url=False, include_input=False))


def _reason(item: Any) -> str:  # noqa: ANN401 (pydantic's error details)
    where = ".".join(map(str, item["loc"]))
    what = "unknown field" if item["type"] == "extra_forbidden" else item["msg"].removeprefix("Value error, ")
    return f"{where}: {what}" if where else what
