"""What the deployment tells a function, read from the environment once. The only module that reads it."""

import datetime as dt
import os
from dataclasses import dataclass

from logarchive.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    """The names of the stack's things."""

    bucket: str
    table: str
    sources_path: str
    secrets_prefix: str
    #: The first moment that the table `logs` shows; None if nothing says so.
    archive_from: dt.datetime | None = None

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the four variables every function needs, and one it may have; raise ConfigError naming what is wrong."""
        names = ("ARCHIVE_BUCKET", "LEDGER_TABLE", "SOURCES_PATH", "SECRETS_PREFIX")
        missing = [name for name in names if not os.environ.get(name)]
        if missing:
            raise ConfigError(f"environment variables are not set: {', '.join(missing)}")
        bucket, table, path, prefix = (os.environ[name] for name in names)
        return cls(bucket, table, path.rstrip("/"), prefix, _first_day(os.environ.get("ARCHIVE_FROM")))


def _first_day(text: str | None) -> dt.datetime | None:
    if not text:
        return None
    try:
        return dt.datetime.strptime(f"{text} +0000", "%Y-%m-%d %z").astimezone(dt.UTC)
    except ValueError:
        raise ConfigError(f"ARCHIVE_FROM: {text!r} is no day; the stack's parameter ArchiveFrom sets it") from None
