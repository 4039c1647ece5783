"""What stands in the bucket, and under which keys."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.truth.ledger import Window

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@dataclass(frozen=True)
class Bucket:
    """The archive's bucket, seen from outside."""

    client: "S3Client"
    name: str

    def keys(self, prefix: str) -> list[str]:
        """Return the keys under a prefix, in order."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return sorted(item.get("Key", "") for page in pages for item in page.get("Contents", []))

    def read(self, key: str) -> bytes:
        """Return an object's bytes."""
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()


@dataclass(frozen=True)
class Place:
    """Where things of one source lie."""

    provider: str
    source: str

    def logs(self, window: Window) -> str:
        """Return the key of a window's Parquet object."""
        return f"logs/provider={self.provider}/date={window.date}/{self.source}-{window.slug}.parquet"

    def rejects(self, window: Window) -> str:
        """Return the key of a window's rejects."""
        return f"rejects/provider={self.provider}/date={window.date}/{self.source}-{window.slug}.jsonl.gz"

    def raw(self, window: Window | None = None) -> str:
        """Return the prefix of what was received for a window, or for all of them."""
        source = f"raw/provider={self.provider}/source={self.source}/"
        return source if window is None else f"{source}date={window.date}/{window.slug}/"
