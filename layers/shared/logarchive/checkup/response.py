"""What the response to the one small request says about key, address and clock. Pure."""

from collections.abc import Mapping

from logarchive.checkup.access import DO_WRITE_FIRST
from logarchive.checkup.probe import Probe
from logarchive.checkup.public import NotPublicError
from logarchive.errors import ForbiddenError, MalformedError, OutOfTimeError, ProviderError, ThrottledError
from logarchive.moment import MINUTE, SECOND
from logarchive.net.pacing import http_date
from logarchive.provider.check import Check, Verdict

#: From here on a clock is worth a look; beyond the second, vendors refuse signatures.
SLOW_CLOCK, WRONG_CLOCK = MINUTE, 5 * MINUTE
#: The first kind that fits counts.
_DO: Mapping[type[Exception], str] = {
    NotPublicError: DO_WRITE_FIRST,
    ForbiddenError: "if the check `clock` is ok: correct {keys}, or their rights at the vendor; some vendors also want "
    "this function's address, or the Referer, registered",
    ThrottledError: "nothing, if this goes away; otherwise lower `pace`, or raise the quota at the vendor",
    OutOfTimeError: "check base_url, and whether the function's network leads to it",
    MalformedError: "check base_url and the source's own fields against the provider's page",
    Exception: "check base_url, and whether the function's network leads to it; or wait until the vendor is well",
}


def request(probe: Probe, *, in_secret: bool = True) -> Check:
    """Say whether the provider has accepted a signed request, and its response could be read.

    `in_secret`: its keys are those of a secret; otherwise they came with the event, and are not written.
    """
    if probe.error is not None:
        do = next(do for kind, do in _DO.items() if isinstance(probe.error, kind))
        keys = "the keys in the secret" if in_secret else "the keys that were given"
        return Check("request", _verdict(probe.error), f"{probe.error}", do.replace("{keys}", keys))
    if probe.part is None:
        return Check("request", "skipped", "for this source a visit sends no request")
    return Check("request", "ok", f"accepted: HTTP {probe.part.status}, {probe.part.bytes} bytes")


def _verdict(error: Exception) -> Verdict:
    if isinstance(error, NotPublicError):
        return "skipped"
    return "warn" if isinstance(error, ThrottledError) else "fail"


def unreadable(check: str, error: ProviderError) -> Check:
    """Say that a response which was no error cannot be read."""
    return Check(check, "fail", f"the response cannot be read: {error}", _DO[MalformedError])


def clock(probe: Probe) -> Check:
    """Compare the clock of this function with the `Date` of the response, refused ones too."""
    theirs = http_date(probe.part.headers.get("date")) if probe.part else None
    if probe.part is None or theirs is None:
        return Check("clock", "skipped", "no response with a readable Date came")
    ahead = probe.part.time - theirs
    said = f"this clock is {abs(ahead) // SECOND} s {'ahead of' if ahead > 0 * SECOND else 'behind'} the provider's"
    if abs(ahead) < SLOW_CLOCK:
        return Check("clock", "ok", said)
    do = "AWS sets the clock of a function, so it is the provider's clock, or one on the way, that is wrong: tell the "
    do += "vendor. Signatures with a time that is five minutes off are refused"
    return Check("clock", "warn" if abs(ahead) < WRONG_CLOCK else "fail", said, do)
