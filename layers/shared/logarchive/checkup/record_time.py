"""Whether the latest time in one small response is plausible: its unit, its zone, not in the future. Pure.

The provider may hold newer records: where it lists the oldest ones first, the response holds none of them.
"""

import datetime as dt
from collections.abc import Iterator

from pydantic import BaseModel

from logarchive.column.attribute import flat
from logarchive.column.convert import FieldMapping
from logarchive.moment import DAY, EPOCH, HOUR, MILLISECOND, MINUTE, instant
from logarchive.part import Part
from logarchive.provider.check import Check, RecordTime
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.record.block import Bad, Verbatim
from logarchive.record.layout import Layout
from logarchive.record.reader import blocks
from logarchive.window import Span

NAME = "record_time"
#: How much later than now a record may be: clocks differ.
TOLERANCE = 5 * MINUTE
#: How much too early a time in UTC is read as one in China or Korea.
ZONES = (8 * HOUR, 9 * HOUR)
#: No record is so old, nor so near to 1970: then an epoch was read in the wrong unit.
LONG = 3653 * DAY
#: Digits of an epoch -> its unit, where it is not the documented one, milliseconds.
_UNITS = {10: "seconds", 16: "microseconds", 19: "nanoseconds"}
_DO_ZONE = (
    "compare a record with the vendor's console. If the time that the archive reads is wrong, set `time_zone` where "
    "the source has it; otherwise the provider's code must be changed before anything is archived"
)
_DO_UNIT = "compare a record with the vendor's console: the unit of the times is not the documented one"


def newest_time[S: Source, K: BaseModel](provider: Provider[S, K], source: S, part: Part) -> RecordTime | None:
    """Return the latest time among the records of a response, read as in a visit; None if it holds no record.

    Raises the ProviderError of a response that cannot be read.
    """
    if provider.newest:
        return provider.newest(part, source)
    times = list(_times(part, provider.layout, provider.columns(source)["time"]))
    unread = [time for time in times if time.moment is None]
    return max((time for time in times if time.moment), key=_moment, default=unread[0] if unread else None)


def record_time(newest: RecordTime | None, now: dt.datetime, usual: dt.timedelta, asked: Span | None) -> Check:
    """Say whether the latest time in a response can be right.

    `usual` is how old the newest record of a busy source may be, `asked` the range of records that was asked for.
    """
    if newest is None:
        return Check(NAME, "skipped", "no record of the last hours came, so there is no time to look at")
    if newest.moment is None:
        return Check(NAME, "fail", f"the time {newest.text} cannot be read", _DO_UNIT)
    said = f"the latest time in this one response is {newest.text}, read as {instant(newest.moment)}"
    if asked and EPOCH + LONG < newest.moment < asked.start - TOLERANCE:
        said += f", which is {_length(asked.start - newest.moment)} before the range that was asked for"
        return Check(NAME, "fail", said, _DO_ZONE)
    return _judged(newest.text, said, now - newest.moment, usual)


def _judged(text: str, said: str, age: dt.timedelta, usual: dt.timedelta) -> Check:
    if age > LONG:
        return Check(NAME, "fail", f"{said}: are the times in another unit?", _DO_UNIT)
    if age < -TOLERANCE:
        return Check(NAME, "fail", f"{said}: {_length(-age)} in the future", _DO_ZONE)
    if zone := next((zone for zone in ZONES if zone <= age <= zone + usual), None):
        said += f", {_length(age)} ago: either this response holds no newer record, or a time in UTC is read as one of "
        return Check(NAME, "warn", f"{said}+0{zone // HOUR}:00", _DO_ZONE)
    if unit := text.isdecimal() and _UNITS.get(len(text)):
        return Check(NAME, "warn", f"{said}: it is in {unit}, which is recognised, but not documented", _DO_UNIT)
    return Check(NAME, "ok", f"{said}, {_length(age)} ago; the provider may hold newer records")


def _times(part: Part, layout: Layout, mapping: FieldMapping) -> Iterator[RecordTime]:
    for block in blocks(part, layout, mapping.key):
        for record in block.exactly().items:
            if isinstance(record, Bad):
                yield RecordTime(f"of a record ({record.reason})", None)
                continue
            value = (flat(record) if "." in mapping.key else record).get(mapping.key)
            [time] = mapping.convert([value])
            text = value.text if isinstance(value, Verbatim) else str(value)
            yield RecordTime(text, None if time is None else EPOCH + int(time) * MILLISECOND)


def _moment(time: RecordTime) -> dt.datetime:
    return time.moment or EPOCH


def _length(length: dt.timedelta) -> str:
    hours, minutes = divmod(length // MINUTE, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
