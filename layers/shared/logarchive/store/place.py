"""Where things lie in the bucket: pure functions of provider, source, window and visit."""

import datetime as dt
from dataclasses import dataclass

from logarchive.window import Window


@dataclass(frozen=True)
class Place:
    """The keys of one window of one source."""

    provider: str
    source_name: str
    window: Window

    @property
    def raw(self) -> str:
        """The prefix of everything received for this window, with a trailing slash."""
        return f"raw/provider={self.provider}/source={self.source_name}/date={self.window.date}/{self.window.slug}/"

    @property
    def logs(self) -> str:
        """The Parquet object."""
        return f"logs/{self._partition}.parquet"

    @property
    def rejects(self) -> str:
        """The records that could not be normalised."""
        return f"rejects/{self._partition}.jsonl.gz"

    @property
    def _partition(self) -> str:
        return f"provider={self.provider}/date={self.window.date}/{self.source_name}-{self.window.slug}"

    def part(self, visit: str, number: int, suffix: str) -> str:
        """Return the key of one part of a visit; `suffix` begins with its dot."""
        return f"{self.raw}{visit}/{number:05d}{suffix}"

    def manifest(self, visit: str) -> str:
        """Return the key of a visit's manifest."""
        return f"{self.raw}{visit}/manifest.json"


def visit_name(moment: dt.datetime, attempt: int) -> str:
    """Name a visit so that names sort by time and no two claims of a window share one: `20261122T150002Z-0003`."""
    return f"{moment:%Y%m%dT%H%M%SZ}-{attempt:04d}"
