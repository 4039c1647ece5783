"""What is fuzzed: each target takes bytes, raises the errors it declares, and asserts what must hold for any bytes."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from logarchive.errors import ArchiveError, ConfigError, OutOfTimeError, ProviderError
from tests.fuzz import api, aws, reader, seed

type Errors = tuple[type[Exception], ...]


@dataclass(frozen=True)
class Target:
    """A function of bytes, the errors that it may raise, and bytes to start from."""

    run: Callable[[bytes], None]
    declared: Errors
    seeds: Callable[[], Iterable[bytes]]

    def check(self, data: bytes) -> None:
        """Run on some bytes. Whatever is raised here is a finding."""
        with suppress(*self.declared):
            self.run(data)


READING: Errors = (ProviderError,)
VISITING: Errors = (ProviderError, OutOfTimeError)
TARGETS: dict[str, Target] = {
    "json": Target(reader.recognised, READING, seed.bodies),
    "json-document": Target(reader.document_at_path, READING, partial(seed.documents, "apigateway")),
    "json-lines": Target(reader.json_lines, READING, seed.bodies),
    "csv": Target(reader.csv, READING, seed.bodies),
    "log-lines": Target(reader.log_lines, READING, seed.bodies),
    "unpack": Target(reader.unpack, VISITING, seed.archives),
    **{name: Target(partial(api.visit, name), VISITING, partial(seed.responses, name)) for name in api.APIS},
    "manifest": Target(aws.manifest, (ArchiveError, ProviderError), seed.manifests),
    "event": Target(aws.event, (), seed.events),
    "source": Target(aws.source, (ConfigError,), seed.sources),
}
