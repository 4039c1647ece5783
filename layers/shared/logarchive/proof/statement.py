"""The entries of the proof log: what they say of a source and of a window. Pure.

An entry is one line of JSON without white space: first `entry`, then its other keys in order. It holds no record, no
name of a person and no secret, so that rows may be deleted by law and the tree still verifies.
"""

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

import orjson

from logarchive.ledger.entry import Entry, Head
from logarchive.moment import instant

#: A bundle writes the length of an entry in two bytes.
MOST_BYTES = 65_535
#: The most good visits whose manifests one entry names; the rest of them are named by the next entry of the window.
MOST_VISITS = 100


class Hashed(TypedDict):
    """An object and the SHA-256 of its bytes; null where nobody knows it."""

    key: str
    sha256: str | None


class HashedRows(Hashed):
    """A Parquet object."""

    bytes: int | None


class Objects(TypedDict):
    """The objects of a window that its entry names."""

    #: Those of good visits that no earlier entry names, then the newest one.
    manifests: Sequence[Hashed]
    #: Also an empty one that was put in its place before a split.
    object: HashedRows | None
    #: None: there is nothing new to say of them.
    rejects: Hashed | None


def source_statement(provider: str, source_name: str, head: Head) -> bytes:
    """State from when on a source is archived: from there on its time is promised."""
    return _line("source", provider=provider, source=source_name, feed=head.feed_id, begin=instant(head.begin))


def window_statement(
    provider: str, source_name: str, entry: Entry, committed_at: str | None, **objects: Unpack[Objects]
) -> bytes:
    """State what a window has become, and when; None if that was under a version that did not write it down."""
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
        **({"replayed": True} if entry.replayed else {}),
        **objects,
    )


def _line(kind: str, **content: Any) -> bytes:  # noqa: ANN401 (JSON)
    entry = f'{{"entry":"{kind}",'.encode() + orjson.dumps(content, option=orjson.OPT_SORT_KEYS)[1:]
    if len(entry) > MOST_BYTES:
        raise ValueError(f"its entry has {len(entry)} bytes, which is more than {MOST_BYTES}")
    return entry
