"""What a listing of Tencent's log files tells `doctor`: the newest hour, and the hosts that have no file.

No API says whether logging is switched on for a host. One without a file had no traffic, or its log is not made.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Protocol

from logarchive.moment import HOUR
from logarchive.part import Part
from logarchive.provider.check import Check, RecordTime
from logarchive.record.body import parsed
from logarchive.vendor.tencent import File, Listing, Page

#: Hosts in one request of `GetDsaHostLogs`; `DescribeCdnDomainLogs` takes one.
DSA_HOSTS = 10
LOGGING = "logging"
_DO = (
    "if such a host had traffic, look in the vendor's console whether it is online and its access log is made, and, "
    "with `cdn`, whether `area` is where its traffic is"
)


class Hosts(Protocol):
    """What is needed of a source."""

    @property
    def api(self) -> str:
        """The API that lists its files, `cdn` or `dsa`."""
        ...

    @property
    def hosts(self) -> tuple[str, ...]:
        """All its hosts."""
        ...

    @property
    def zone(self) -> dt.tzinfo:
        """The zone of the listed hours."""
        ...


def asked(source: Hosts) -> tuple[str, ...]:
    """Return the hosts of the first request."""
    return source.hosts[: 1 if source.api == "cdn" else DSA_HOSTS]


def newest(part: Part, source: Hosts) -> RecordTime | None:
    """Return the end of the newest file's hour, with its beginning as listed; None if there is no file."""
    last = max((file.hour for files in _files(part, source).values() for file in files), default=None)
    return None if last is None else RecordTime(f"{last}", (last + HOUR).replace(tzinfo=source.zone).astimezone(dt.UTC))


def logging(part: Part, source: Hosts) -> Check:
    """Say which of the hosts that were asked for have no file of the last day, and which were not asked for."""
    files, hosts = _files(part, source), asked(source)
    rest = source.hosts[len(hosts) :]
    others = f"; not asked for, since one request takes no more hosts: {', '.join(rest)}" if rest else ""
    if silent := [host for host in hosts if not files.get(host)]:
        return Check(LOGGING, "warn", f"no file of the last day is listed for {', '.join(silent)}{others}", _DO)
    return Check(LOGGING, "ok", f"files of the last day are listed for {', '.join(hosts)}{others}")


def _files(part: Part, source: Hosts) -> Mapping[str, Sequence[File]]:
    if source.api == "cdn":
        return {host: parsed(part, Page).files or [] for host in asked(source)}
    return {host.lower(): files for host, files in parsed(part, Listing).data.items()}
