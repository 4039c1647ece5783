"""A copy of the archive's bucket, or of a part of it, in a folder: what is there already is not copied again.

What the bucket does not hold any more is removed from the folder: otherwise an object that was deleted would be checked
from an earlier copy, and never be missed.
"""

import os
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from console.account.stack import Stack
from console.failure import ConsoleError

#: What the verifier reads of a bucket.
TOPS = ("proof/", "raw/", "logs/", "rejects/")
#: What a copy of the whole bucket has besides, as `aws s3 sync` makes it. It is left as it is.
_OTHERS = {"coverage", "history"}
#: How many objects are copied at once.
_CONNECTIONS = 8

type Moved = Callable[[int, int | None], None]


def copy(stack: Stack, folder: Path, prefixes: Sequence[str], moved: Moved) -> None:
    """Make a folder hold what the bucket has under some prefixes, which end in `/`; `moved` is told how far it is."""
    listed = {path(folder, one["Key"]): one for prefix in prefixes for one in _objects(stack, prefix)}
    wanted = [one for place, one in listed.items() if not _is_there(place, one)]
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        for done, _ in enumerate(pool.map(partial(_copy, stack, folder), wanted), 1):
            moved(done, len(wanted))
    for prefix in prefixes:
        remove_others(folder / prefix, listed)


def remove_others(folder: Path, kept: Container[Path]) -> None:
    """Remove every file below a folder but those that are kept; links are removed, and not followed."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for one in (Path(place) / name for name in (*files, *links)):
            if one not in kept:
                one.unlink()


def path(folder: Path, key: str) -> Path:
    """Return where an object lies in a folder. Raises ConsoleError for a key that would leave it. Pure."""
    if any(step in {"", ".", ".."} for step in key.split("/")):
        raise ConsoleError(f"the bucket has an object {key!r}, whose name is no path: it cannot be copied")
    return folder / key


def _objects(stack: Stack, prefix: str) -> Iterator[Any]:
    pages = stack.clients.objects.get_paginator("list_objects_v2").paginate(
        Bucket=stack.outputs["BucketName"], Prefix=prefix
    )
    for page in pages:
        yield from (one for one in page.get("Contents", []) if not is_marker(one))


def is_marker(listed: Mapping[str, Any]) -> bool:
    """Return whether an object is only the mark of a folder, as the console of S3 makes it. Pure."""
    return bool(listed["Key"].endswith("/") and not listed["Size"])


def _is_there(path: Path, listed: Mapping[str, Any]) -> bool:
    try:
        known = path.stat()
    except FileNotFoundError:
        return False
    return bool(known.st_size == listed["Size"] and known.st_mtime == listed["LastModified"].timestamp())


def _copy(stack: Stack, folder: Path, listed: Mapping[str, Any]) -> None:
    target = path(folder, listed["Key"])
    target.parent.mkdir(parents=True, exist_ok=True)
    stack.clients.objects.download_file(stack.outputs["BucketName"], listed["Key"], str(target))
    moment = listed["LastModified"].timestamp()
    os.utime(target, (moment, moment))


def ensure_empty_or_copy(folder: Path) -> None:
    """Raise ConsoleError if a folder holds something else than a copy: it would be taken for a part of it."""
    names = {top.removesuffix("/") for top in TOPS} | _OTHERS
    if folder.is_dir() and (others := sorted(one.name for one in folder.iterdir() if one.name not in names)):
        raise ConsoleError(f"{folder} holds {others[0]}, which is no part of a copy: name a folder of its own")
