"""The errors that this package raises itself, grouped by who has to fix it.

ArchiveFailure
├── ConfigError      the operator: a source, a secret, an event or an environment variable is wrong
├── ProviderError    the provider: its API failed; `issue` becomes the window's issue
│   ├── ForbiddenError      401, 403, our address or Referer is not allowed
│   ├── ThrottledError      429, or an equal error code in the body
│   │   └── QuotaError      a quota is used up: no retry within a visit
│   ├── UnavailableError    5xx, time-outs, broken connections
│   │   ├── LinkExpiredError  403, 404 or 410 from a download link: a new link must be listed
│   │   └── TooMuchError      the range is too long for the API: its halves are requested
│   ├── MalformedError      a response that is not what the API promises: no zip, cut, encrypted, no JSON, HTML
│   ├── MismatchError       pages that do not add up to the total, or a total that changes
│   └── TooLargeError       more than one visit can process, and the window cannot be split
├── OutOfTimeError   nobody: the invocation's time is used up, the window is visited again
├── LostClaimError   nobody: another worker holds the window now, this one stops
└── ArchiveError     us: our own AWS refused a call or contradicted itself
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import ClassVar, Literal

from logarchive.part import Part

#: A message repeats no text from outside that is longer.
_REPEATED_CHARACTERS = 200

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


def repeated(text: str) -> str:
    """Return a text from outside as a message repeats it: whole, or, as half a secret could not be masked, its length.

    What is written down is masked first and cut afterwards, by those who know the secret.
    """
    return text if len(text) <= _REPEATED_CHARACTERS else f"… ({len(text)} characters)"


class ArchiveFailure(Exception):  # noqa: N818 (the root of a tree whose leaves end in Error)
    """The root of all errors this package raises itself."""


class ConfigError(ArchiveFailure):
    """A source, secret, event or environment variable is wrong; the message names the field and the reason."""


class ProviderError(ArchiveFailure):
    """The provider's API failed during a visit; the window must not be sealed."""

    issue: ClassVar[Issue] = "unavailable"
    #: Whether another attempt within the same visit may help.
    retryable: bool = False
    #: The wait that the provider requested, if it did.
    retry_after_seconds: float | None = None
    #: The response that failed, with the role `error`, to be stored under `raw/`; None if no response came.
    part: Part | None = None


class ForbiddenError(ProviderError):
    """The provider refused our credentials, address or Referer."""

    issue = "forbidden"


class ThrottledError(ProviderError):
    """The provider requests that we slow down."""

    issue = "throttled"
    retryable = True


class QuotaError(ThrottledError):
    """A quota is used up; it is renewed after hours, not seconds."""

    retryable = False


class UnavailableError(ProviderError):
    """The provider did not respond, or responded that it cannot serve the request now."""

    retryable = True


class LinkExpiredError(UnavailableError):
    """A download link is not valid, or no longer: list the files again and try the new link once."""

    retryable = False


class TooMuchError(UnavailableError):
    """The provider cannot serve so long a range; its halves are requested."""


class MalformedError(ProviderError):
    """The response is not what the API promises; its bytes are kept as an `error` part."""

    issue = "malformed"


class MismatchError(ProviderError):
    """The pages did not add up to the total, or the total changed while they were read."""

    issue = "mismatch"


class TooLargeError(ProviderError):
    """A window that cannot be split holds more than one visit can process."""

    issue = "too_large"


class OutOfTimeError(ArchiveFailure):
    """The invocation's time is used up."""


class LostClaimError(ArchiveFailure):
    """The window's claim has passed to another worker."""


class ArchiveError(ArchiveFailure):
    """Our own AWS refused a call, or returned what is impossible."""


@contextmanager
def without_panics() -> Generator[None]:
    """Raise a panic of a library in Rust as an ArchiveError: it is no Exception, so it would end the invocation."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise ArchiveError(str(error)) from error
