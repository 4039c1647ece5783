"""The HTTP of one visit: signs each attempt anew, retries, follows download links, says what a response amounts to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from logarchive.errors import ForbiddenError, MalformedError, ProviderError, ThrottledError
from logarchive.net.pacing import backoff_seconds, retry_after_seconds
from logarchive.net.request import Request, joined
from logarchive.net.response import skew
from logarchive.net.session import Channel, Session
from logarchive.part import Part
from logarchive.provider.provider import Method, RequestOptions

ATTEMPTS = 4
MAX_REDIRECTS = 3
#: How much of an error's text is repeated.
ERROR_CHARACTERS = 310


@dataclass
class Exchange:
    """The `Api` of a provider during one visit; bodies are written to `directory`."""

    session: Session
    directory: Path
    #: Keeps ids for good, and returns them with all that were ever kept.
    remember: Callable[[Iterable[str]], tuple[str, ...]]
    #: How often a request is sent at most, if another attempt may help.
    attempts: int = ATTEMPTS
    #: The last response, until its part is taken: so one that `fetch` cannot read is kept too.
    last: Part | None = None
    #: Attempts made, downloads included.
    requests: int = 0

    def request(self, method: Method, path: str, **options: Unpack[RequestOptions]) -> Part:
        """Send one signed request below the base URL; raise the ProviderError that its last response amounts to."""
        request = Request(method=method, url=joined(self.session.base_url, path), **options)
        return self._retried(request, self._called)

    def download(self, url: str) -> Part:
        """Fetch a link without credentials, if `download_hosts` admits it and whatever it redirects to.

        Raises LinkExpiredError where listing anew helps.
        """
        return self._retried(Request(method="GET", url=url), self._followed)

    def _retried(self, request: Request, attempt: Callable[[Request], Part]) -> Part:
        before = self.last = None
        for number in range(1, self.attempts + 1):
            try:
                part = attempt(request)
            except ProviderError as error:
                before = _newest(before, error)
                error.args = (self._described(request, error),)
                self.session.count("Throttles", int(isinstance(error, ThrottledError)))
                if not error.retryable or number == self.attempts:
                    raise
                self._back_off(error, number)
            else:
                if before is not None:
                    before.path.unlink()
                self.last = part
                return part
        raise AssertionError  # the last round returns or raises

    def _back_off(self, error: ProviderError, number: int) -> None:
        """Sleep before the next attempt; raise the error at once when the deadline would pass meanwhile."""
        timer = self.session.timer
        pause = max(backoff_seconds(number, timer.jitter()), error.retry_after_seconds or 0)
        if not timer.sleep_in_time(pause):
            raise error

    def _described(self, request: Request, error: ProviderError) -> str:
        """Say which request failed and why, without a secret: masked before it is cut, since half of one would stay."""
        mask = self.session.redaction.text
        address, reason = (mask(text)[:ERROR_CHARACTERS] for text in (request.address, str(error)))
        return f"{request.method} {address}: {reason}"

    def _called(self, request: Request) -> Part:
        channel = self.session.api
        part, _ = self._sent(channel, request)
        return _checked(part, channel)

    def _followed(self, request: Request) -> Part:
        channel, redirect, link, url = self.session.downloads, None, request.url, None
        try:
            for _ in range(1 + MAX_REDIRECTS):
                url = self.session.download_hosts.check(link, url)
                part, onward = self._sent(channel, Request(method="GET", url=str(url)))
                if redirect is not None:
                    redirect.path.unlink()
                if onward is None:
                    return _checked(part.replace(request=request.described(self.session.redaction)), channel)
                redirect, link = part, onward
            raise MalformedError(f"the link redirects more than {MAX_REDIRECTS} times")
        except ProviderError as error:
            _newest(redirect, error)
            raise

    def _sent(self, channel: Channel, request: Request) -> tuple[Part, str | None]:
        session = self.session
        session.wait_turn(channel)
        self.requests += 1
        session.count("Requests", 1)
        return session.send(channel, request, self.directory)


def _newest(before: Part | None, error: ProviderError) -> Part | None:
    """Return the last body received: the error's own, or else the one before it, then attached to the error."""
    if error.part is None:
        error.part = before and before.replace(role="error")
    elif before is not None:
        before.path.unlink(missing_ok=True)
    return error.part


def _checked(part: Part, channel: Channel) -> Part:
    """Return the part, or raise its first error: the provider's own message comes before the status."""
    error = next((error for fault in channel.faults if (error := fault(part)) is not None), None)
    if error is None:
        return part
    error.part = part.replace(role="error")
    if error.retry_after_seconds is None:
        error.retry_after_seconds = retry_after_seconds(part.headers.get("retry-after"), part.time)
    if isinstance(error, ForbiddenError):
        error.args = (f"{error}{skew(part)}",)
    raise error
