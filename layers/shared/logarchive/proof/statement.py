"""The entries of the proof log: what they say of a source and of a window. Pure.

An entry is one line of JSON without white space: first `entry`, then its other keys in order. It holds no record, no
name of a person and no secret, so that rows may be deleted by law and the tree still verifies.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import orjson

from logarchive.ledger.entry import Entry, Head
from logarchive.moment import instant

#: A bundle writes the length of an entry in two bytes.
MOST_BYTES = 65_535


class Hashed(TypedDict):
    """An object and the SHA-256 of its bytes."""

    key: str
    sha256: str | None


def source_statement(provider: str, source_name: str, head: Head) -> bytes:
    """State from when on a source is archived: from there on its time is promised."""
    return _line("source", provider=provider, source=source_name, feed=head.feed_id, begin=instant(head.begin))


def window_statement(
    provider: str,
    source_name: str,
    entry: Entry,
    committed_at: str,
    manifests: Sequence[Hashed],
    rejects: Hashed | None,
) -> bytes:
    """State what a commit made of a window. `manifests` are those that no earlier entry of the window names."""
    stored = entry.object
    return _line(
        "window",
        provider=provider,
        source=source_name,
        window=entry.window_key,
        state=entry.state,
        issue=entry.issue,
        attempt=entry.attempt,
        committed_at=committed_at,
        visits=len(entry.visits),
        numbers=entry.numbers.model_dump(exclude={"verification"}),
        verification=entry.numbers.verification,
        manifests=list(manifests),
        object={"key": stored.key, "sha256": stored.sha256, "bytes": stored.bytes} if stored else None,
        rejects=rejects,
    )


def _line(kind: str, **content: Any) -> bytes:  # noqa: ANN401 (JSON)
    ordered: Mapping[str, Any] = {"entry": kind, **dict(sorted(content.items()))}
    return orjson.dumps(ordered)
