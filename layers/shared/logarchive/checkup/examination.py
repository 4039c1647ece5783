"""All checks of one source. What AWS refuses, or what goes wrong, a check says, and the others are made all the same.

Nothing is written, and what is said passes the redaction of the source's secret.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel

from logarchive.checkup import access, response, stack
from logarchive.checkup.probe import SECONDS, Probe, probe
from logarchive.checkup.public import only_public
from logarchive.checkup.record_time import newest_time, record_time
from logarchive.errors import ConfigError, ProviderError
from logarchive.ledger.ledger import Ledger
from logarchive.moment import MINUTE
from logarchive.net.download_host import resolved
from logarchive.net.pacing import Timer
from logarchive.net.redaction import Redaction
from logarchive.net.session import Connect, open_session
from logarchive.net.transport import Admit, Transport
from logarchive.provider.check import Check
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.runtime.invocation import Invocation
from logarchive.runtime.source_loader import SourceLoader
from logarchive.store.bucket import Store

#: What is said is masked first, and then cut if it is longer.
MOST_CHARACTERS = 1000


def of_response[S: Source, K: BaseModel](provider: Provider[S, K]) -> tuple[str, ...]:
    """Return the names of the checks that need a response of the provider."""
    return ("request", "clock", "record_time", *provider.checks)


def refused[S: Source, K: BaseModel](provider: Provider[S, K], error: str) -> list[Check]:
    """Return the checks of a source whose configuration is wrong."""
    names = ("secret", *of_response(provider), "ledger", "name", "archive_from", "retention", "bucket")
    skipped = [Check(name, "skipped", "the configuration must be right first") for name in names]
    return [access.configuration_failure(provider.name, error), *skipped]


@dataclass(frozen=True)
class Unwritten:
    """What is known of a source that is not written yet: it comes from whoever invokes the function."""

    #: Whether its address is the vendor's own, or one to which a written source sends its secret.
    known_address: bool
    #: The credentials of the event; None: those of the secret that the document names.
    credentials: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Examination[S: Source, K: BaseModel]:
    """What is needed to check a source whose configuration is right."""

    provider: Provider[S, K]
    source: S
    source_loader: SourceLoader[S, K]
    ledger: Ledger
    store: Store
    invocation: Invocation
    #: What stands in for the network in tests.
    network: Connect | None
    #: None: the source is written.
    unwritten: Unwritten | None = None

    def run(self) -> list[Check]:
        """Return all checks, without a secret."""
        secret, checked = self._secret()
        checks = [access.configuration(self.source), checked]
        if secret is None:
            checks += self._skipped(Check("request", "skipped", "the secret must be right first"))
        elif self.unwritten and not self.unwritten.known_address and self.unwritten.credentials is None:
            checks += self._skipped(access.unknown_address())
        else:
            checks += self._asked(secret)
        checks += [*self._of_ledger(), self._tried("bucket", self._bucket)]
        redaction = Redaction(secret)
        return [_masked(check, redaction) for check in checks]

    def _secret(self) -> tuple[K | None, Check]:
        """Return the credentials, and the check of them; None if they cannot be used."""
        given = self.unwritten.credentials if self.unwritten else None
        try:
            if given is not None:
                return self.source_loader.credentials("credentials", json.dumps(given)), access.credentials()
            return self.source_loader.secret(self.source), access.secret(self.source.secret)
        except Exception as error:  # noqa: BLE001 (AWS refused)
            if given is not None and isinstance(error, ConfigError):
                return None, access.credentials_failure(error)
            return None, access.secret_failure(self.provider, self.source, error)

    def _skipped(self, request: Check) -> list[Check]:
        _, *names = of_response(self.provider)
        return [request, *(Check(name, "skipped", "no request was sent") for name in names)]

    def _asked(self, secret: K) -> list[Check]:
        """Send the one request; return what its response says."""
        try:
            with TemporaryDirectory(prefix="doctor-") as directory:
                return list(self._answered(self._probe(secret, Path(directory))))
        except Exception as error:  # noqa: BLE001 (a bug, or a header that cannot be: the provider was not reached)
            do = "check the source's own fields and the secret against the provider's page"
            return self._skipped(Check("request", "fail", f"{type(error).__name__}: {error}", do))

    def _probe(self, secret: K, directory: Path) -> Probe:
        invocation = self.invocation
        begun = invocation.clock()

        def remaining() -> float:
            return min(invocation.seconds_to_work(), SECONDS - (invocation.clock() - begun).total_seconds())

        timer = Timer(clock=invocation.clock, sleep=invocation.sleep, remaining=remaining)

        def public(admit: Admit) -> Transport:
            return Transport(resolved, only_public(admit), remaining)

        unknown_address = self.unwritten is not None and not self.unwritten.known_address
        connect = self.network or (public if unknown_address else None)
        session = open_session(self.provider, self.source, secret, timer, connect=connect)
        with closing(session):
            return probe(self.provider, self.source, session, directory, begun)

    def _answered(self, found: Probe) -> Iterator[Check]:
        given = self.unwritten is not None and self.unwritten.credentials is not None
        yield response.request(found, in_secret=not given)
        yield response.clock(found)
        provider, part, now = self.provider, found.part, self.invocation.clock()
        _, _, *names = of_response(self.provider)
        if part is None or found.error:
            yield from (Check(name, "skipped", "no good response came") for name in names)
            return
        newest = partial(newest_time, provider, self.source, part)
        usual = self.source.delay + provider.smallest_window + 15 * MINUTE
        yield self._tried("record_time", lambda: record_time(newest(), now, usual, part.asked))
        for name, check in provider.checks.items():
            yield self._tried(name, partial(check, part, self.source))

    def _of_ledger(self) -> Iterator[Check]:
        now, first_day = self.invocation.clock(), self.source_loader.archive_from
        try:
            head, unfinished = self.ledger.head(), [entry for entry in self.ledger.open() if not entry.finished]
        except Exception as error:  # noqa: BLE001 (AWS refused)
            yield access.unexpected("ledger", error)
            for name in ("name", "archive_from", "retention"):
                yield Check(name, "skipped", "the ledger must be readable first")
            return
        yield stack.ledger(head, unfinished)
        yield stack.name(head, self.provider.feed_id(self.source))
        yield stack.archive_from(self.source, head, first_day, now)
        yield stack.retention(self.source, head, unfinished, now, first_day)

    def _bucket(self) -> Check:
        prefix = f"raw/provider={self.provider.name}/source={self.ledger.source_name}/"
        return stack.bucket(next(self.store.keys(prefix), None))

    def _tried(self, name: str, check: Callable[[], Check]) -> Check:
        try:
            return check()
        except ProviderError as error:
            return response.unreadable(name, error)
        except Exception as error:  # noqa: BLE001 (AWS refused, or the response is odd in a new way)
            return access.unexpected(name, error)


def _masked(check: Check, redaction: Redaction) -> Check:
    said, do = (redaction.brief(text, MOST_CHARACTERS) for text in (check.said, check.do))
    return Check(check.check, check.verdict, said, do)
