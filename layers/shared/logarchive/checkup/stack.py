"""What the stack holds of a source: its name in the ledger, windows, bucket, ArchiveFrom against retention. Pure."""

import datetime as dt
from collections.abc import Sequence

from logarchive.ledger.entry import Entry, Head
from logarchive.ledger.lag import LOSS_NOTICE, hours_to_loss
from logarchive.ledger.planner import beginning
from logarchive.moment import HOUR, duration, instant
from logarchive.provider.check import Check
from logarchive.provider.source import Source


def name(head: Head | None, feed_id: str) -> Check:
    """Say whether the name belongs to this project, account or address."""
    if head is None:
        return Check("name", "ok", "new to the ledger")
    if head.feed_id == feed_id:
        return Check("name", "ok", f'archives "{head.feed_id}" since {instant(head.begin)}')
    said = f'this name already archives "{head.feed_id}", and the source is "{feed_id}"'
    return Check("name", "fail", said, "use a new source name: a name belongs to one project, account or address")


def ledger(head: Head | None, unfinished: Sequence[Entry]) -> Check:
    """Say what the ledger shows of the source: that it can be read, and whether it was written."""
    if head is None:
        return Check("ledger", "ok", "can be read; whether it can be written, the first tick shows")
    return Check("ledger", "ok", f"can be read, and was written; open windows: {len(unfinished)}")


def bucket(first: str | None) -> Check:
    """Say whether the bucket can be reached; `first` is the key of the first object of the source, if there is one."""
    if first is None:
        return Check("bucket", "ok", "raw/ can be listed; whether it can be written, the first visit shows")
    return Check("bucket", "ok", f"raw/ can be listed, and was written: {first}")


def archive_from(source: Source, head: Head | None, first_day: dt.datetime | None, now: dt.datetime) -> Check:
    """Say whether the table `logs` begins early enough. A `start` before it is an error of the source already."""
    if first_day is None:
        return Check("archive_from", "skipped", "ARCHIVE_FROM is not set for this function")
    day = f"{first_day:%Y-%m-%d}"
    if first_day > now:
        do = "set the stack's parameter ArchiveFrom to an earlier day"
        return Check("archive_from", "fail", f"ArchiveFrom, {day}, is in the future: no row would be found", do)
    begin, reason = (head.begin, head.begin_reason) if head else beginning(source, now, first_day)
    if reason != "archive_from":
        return Check("archive_from", "ok", f"the source begins {instant(begin)}, and the table logs on {day}")
    said = f"the provider may hold more than is archived: the table logs, and so the source, begins {instant(begin)}"
    do = "for the older records set the stack's parameter ArchiveFrom to an earlier day, and then `start`"
    return Check("archive_from", "warn", said, do)


def retention(
    source: Source,
    head: Head | None,
    unfinished: Sequence[Entry],
    now: dt.datetime,
    first_day: dt.datetime | None = None,
) -> Check:
    """Compare how long the provider keeps records with the oldest window that is not archived yet."""
    if source.retention is None:
        said = "it is not known how long the provider keeps records, so that nobody is warned before they are lost"
        return Check("retention", "warn", said, 'ask the vendor, and set `retention`; for instance "P30D"')
    if head is None:
        return _planned(beginning(source, now, first_day)[0], source.retention, now)
    hours = hours_to_loss(head, unfinished, source, now)
    if hours is None or hours >= LOSS_NOTICE / HOUR:
        return Check("retention", "ok", f"the oldest records that are not archived are kept for {hours} hours more")
    do = "at once: more `workers`, a higher `pace`, a `backfill` of the oldest windows; and see the other checks"
    if hours < 0:
        said = f"for {-hours} hours the provider has been deleting records that are not archived"
        return Check("retention", "fail", said, do)
    return Check("retention", "warn", f"in {hours} hours the provider deletes records that are not archived", do)


def _planned(begin: dt.datetime, kept: dt.timedelta, now: dt.datetime) -> Check:
    said = f"the source would begin {instant(begin)}, and the provider keeps records for {duration(kept)}"
    if begin + kept >= now:
        return Check("retention", "ok", said)
    oldest = now - kept + HOUR
    do = f"expect windows that are `expired`, or set a later `start`; for instance {oldest:%Y-%m-%dT%H}:00:00Z"
    return Check("retention", "warn", f"{said}: what is older is deleted already", do)
