"""The settings of a function, read from its environment variables. The only module that reads them."""

import datetime as dt
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from logarchive.errors import ConfigError
from logarchive.store.bucket import LockMode


@dataclass(frozen=True)
class Settings:  # 11 attributes: one for each environment variable
    """The names of the stack's resources, and the choices made when it was deployed."""

    bucket: str
    table: str
    sources_path: str
    secrets_prefix: str
    #: The first moment that the table `logs` shows; None if the variable is not set.
    archive_from: dt.datetime | None = None
    #: How long raw objects are locked; 0: not at all.
    raw_retention_days: int = 0
    raw_retention_mode: LockMode = "GOVERNANCE"
    #: Whether what is counted is published as metrics of the provider as well, and of each source.
    detailed_metrics: bool = False
    per_source_metrics: bool = False
    tracing: bool = False
    #: The names of all providers of the stack; none if the variable is not set.
    providers: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the four required variables, and those that have a default.

        Raises ConfigError naming the variables that are missing, or the one that is wrong.
        """
        bucket, table, path, prefix = _required("ARCHIVE_BUCKET", "LEDGER_TABLE", "SOURCES_PATH", "SECRETS_PREFIX")
        mode = os.environ.get("RAW_RETENTION_MODE", "GOVERNANCE")
        if mode not in {"GOVERNANCE", "COMPLIANCE"}:
            raise ConfigError(f"RAW_RETENTION_MODE: {mode!r} is neither GOVERNANCE nor COMPLIANCE")
        return cls(
            bucket=bucket,
            table=table,
            sources_path=path.rstrip("/"),
            secrets_prefix=prefix,
            archive_from=_first_day(os.environ.get("ARCHIVE_FROM")),
            raw_retention_days=_days("RAW_RETENTION_DAYS"),
            raw_retention_mode=cast("LockMode", mode),
            detailed_metrics=_chosen("DETAILED_METRICS"),
            per_source_metrics=_chosen("PER_SOURCE_METRICS"),
            tracing=_chosen("TRACING"),
            providers=_listed("PROVIDERS"),
        )


@dataclass(frozen=True)
class NotarySettings:  # 9 attributes: one for each environment variable
    """The settings of the notary's function."""

    bucket: str
    table: str
    #: The ARN of the key that signs; empty: none does.
    key: str = ""
    #: The ARN of the topic for messages; empty: there is none.
    topic: str = ""
    tracing: bool = False
    #: The names of all providers of the stack.
    providers: tuple[str, ...] = ()
    detailed_metrics: bool = False
    #: Provider, or `notary` -> the name of its function; empty: AWS's metrics are not read.
    functions: Mapping[str, str] = field(default_factory=dict[str, str])
    #: The name of the dead-letter queue.
    queue: str = ""

    @classmethod
    def from_environment(cls) -> "NotarySettings":
        """Read the variables. Raises ConfigError naming those that are missing."""
        bucket, table = _required("ARCHIVE_BUCKET", "LEDGER_TABLE")
        return cls(
            bucket=bucket,
            table=table,
            key=os.environ.get("PROOF_KEY", ""),
            topic=os.environ.get("ALARM_TOPIC", ""),
            tracing=_chosen("TRACING"),
            providers=_listed("PROVIDERS"),
            detailed_metrics=_chosen("DETAILED_METRICS"),
            functions=_functions(),
            queue=os.environ.get("DEAD_LETTERS", ""),
        )


def _required(*names: str) -> list[str]:
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise ConfigError(f"environment variables are not set: {', '.join(missing)}")
    return [os.environ[name] for name in names]


def _listed(name: str) -> tuple[str, ...]:
    return tuple(filter(None, os.environ.get(name, "").split(",")))


def _chosen(name: str) -> bool:
    return os.environ.get(name) == "true"


def _functions() -> dict[str, str]:
    """Return the functions of the stack. The notary's own name is not in the list: Lambda sets it."""
    names = _listed("FUNCTION_NAMES")
    own = {"notary": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")}
    return dict(zip(_listed("PROVIDERS"), names, strict=True)) | own if names else {}


def _days(name: str) -> int:
    text = os.environ.get(name, "0")
    if not re.fullmatch(r"\d{1,5}", text):
        raise ConfigError(f"{name}: {text!r} is no number of days; for instance 30")
    return int(text)


def _first_day(text: str | None) -> dt.datetime | None:
    if not text:
        return None
    try:
        return dt.datetime.strptime(f"{text} +0000", "%Y-%m-%d %z").astimezone(dt.UTC)
    except ValueError:
        raise ConfigError(
            f"ARCHIVE_FROM: {text!r} is no day; for instance 2026-11-01, in the stack's ArchiveFrom"
        ) from None
