"""What the deployment tells a function, read from the environment once. The only module that reads it."""

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

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the four variables every function needs; raise ConfigError naming those that are missing."""
        names = ("ARCHIVE_BUCKET", "LEDGER_TABLE", "SOURCES_PATH", "SECRETS_PREFIX")
        missing = [name for name in names if not os.environ.get(name)]
        if missing:
            raise ConfigError(f"environment variables are not set: {', '.join(missing)}")
        bucket, table, path, prefix = (os.environ[name] for name in names)
        return cls(bucket, table, path.rstrip("/"), prefix)
