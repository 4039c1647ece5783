"""Tencent Cloud access logs: hourly files, listed by CDN `DescribeCdnDomainLogs` or DSA `GetDsaHostLogs`.

`api: cdn`: tencentcloud.com/document/product/228/33599. `api: dsa`: "Download Access Logs" (2018), now retired.
"""

import datetime as dt
import json
from collections.abc import Generator, Iterator, Mapping
from itertools import batched, product
from typing import Annotated, Any, Literal, cast

import httpx
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from logarchive.action.handler import lambda_handler
from logarchive.errors import LinkExpiredError, MalformedError, MismatchError, repeated
from logarchive.moment import DAY, HOUR, SECOND, Clock, instant, zone
from logarchive.net.download_host import DownloadHost
from logarchive.part import Part
from logarchive.provider.provider import Api, Provider
from logarchive.provider.source import Address, Ages, Length, Offset, Source
from logarchive.record.body import parsed
from logarchive.vendor import tencent, tencent_listing, tencent_log_line
from logarchive.window import Span

#: As each API is documented; a source may override it.
FACTS: dict[str, dict[str, Any]] = {
    "cdn": {
        "base_url": "https://cdn.tencentcloudapi.com",
        "download_hosts": ("log-download.cdn.qcloud.com",),
        "retention": 30 * DAY,
        "pace": 20 * 60,
    },
    "dsa": {
        "base_url": "https://dsa.api.qcloud.com",
        "download_hosts": ("dsa-log-download.cdn.qcloud.com",),
        "retention": 40 * DAY,
        "pace": 100,
    },
}
CDN_HEADERS = {"X-TC-Action": "DescribeCdnDomainLogs", "X-TC-Version": "2018-06-06"}
CDN_LIMIT = 1000
STAMP = "%Y-%m-%d %H:%M:%S"

type Host = Annotated[str, StringConstraints(min_length=1, to_lower=True)]
#: Host, hour and area identify a file. Its link changes with every listing.
type FileKey = tuple[str, dt.datetime, str]
type Links = dict[FileKey, str]


class DsaSource(Source):  # 9 attributes: the fields of its parameter
    """A group of hosts."""

    api: Literal["cdn", "dsa"] = Field(description="`cdn`, or `dsa`: an API that its vendor has retired")
    base_url: Address = Field(description="where the API lives; the vendor's public address by default")
    hosts: Annotated[tuple[Host, ...], AfterValidator(lambda hosts: tuple(sorted(set(hosts))))] = Field(
        min_length=1, description="accelerated domains"
    )
    area: tencent.Area = Field("mainland", description="`cdn`: where the nodes are")
    time_zone: Offset = Field("+08:00", description="the zone of the listed hours and of the times in lines")
    download_hosts: tuple[DownloadHost, ...] = Field((), description="where links may lead: `host` or `host:port`")
    signature_method: tencent.SignatureMethod = Field("HmacSHA1", description="`dsa`: how requests are signed")
    delay: Length = Field(2 * HOUR, description="how long after its end a window is first visited")
    revisit: Ages = Field((6 * HOUR, DAY), description="ages, from the window's end, at which it is visited again")

    @model_validator(mode="before")
    @classmethod
    def _facts(cls, values: Any) -> Any:  # noqa: ANN401 (whatever the parameter holds)
        if not isinstance(values, Mapping):
            return values
        given = cast("Mapping[str, Any]", values)
        return {**FACTS.get(str(given.get("api")), FACTS["cdn"]), **given}

    @property
    def zone(self) -> dt.tzinfo:
        """The time zone."""
        return zone(self.time_zone)


def fetch(api: Api, source: DsaSource, span: Span) -> Iterator[Part]:
    """List the files whose hour begins in the span, and download them. An hour without traffic has no file."""
    listing = _cdn if source.api == "cdn" else _dsa
    links = yield from listing(api, source, span)
    listed_anew, done = False, set[FileKey]()
    while waiting := sorted(links.keys() - done):
        file = waiting[0]
        done.add(file)
        try:
            part = api.download(links[file])
        except LinkExpiredError:
            if listed_anew:
                raise
            listed_anew = True
            links |= yield from listing(api, source, span)
            part = api.download(links[file])
        yield part.replace(extra={"host": file[0], "hour": instant(file[1])})


def _cdn(api: Api, source: DsaSource, span: Span) -> Generator[Part, None, Links]:
    links: Links = {}
    for host in source.hosts:
        files = yield from _pages(api, source, host, span)
        links |= _within(span, source, host, files)
    return links


def _pages(api: Api, source: DsaSource, host: str, span: Span) -> Generator[Part, None, list[tencent.File]]:
    """List one host's files. Whether EndTime is inclusive is not documented; `_within` drops a file too many."""
    start, end = (moment.astimezone(source.zone).strftime(STAMP) for moment in (span.start, span.end))
    query = {"Domain": host, "StartTime": start, "EndTime": end, "Area": source.area, "LogType": "access"}
    files: list[tencent.File] = []
    while True:
        page = {"Offset": len(files), "Limit": CDN_LIMIT}
        part = api.request("POST", "/", json=query | page, headers=CDN_HEADERS).replace(role="listing")
        yield part
        listed = parsed(part, tencent.Page)
        files += listed.files or []
        if len(files) >= listed.total:
            return files
        if not listed.files:
            raise MismatchError(f"{host}: {len(files)} of {listed.total} files were listed")


def _dsa(api: Api, source: DsaSource, span: Span) -> Generator[Part, None, Links]:
    """List day by day, ten hosts a call. The zone of days and hours is not documented."""
    links: Links = {}
    first, last = (moment.astimezone(source.zone).date() for moment in (span.start, span.end - SECOND))
    days = [f"{first + dt.timedelta(days=number)}" for number in range((last - first).days + 1)]
    for day, hosts in product(days, batched(source.hosts, tencent_listing.DSA_HOSTS, strict=False)):
        names = json.dumps(hosts, separators=(",", ":"))
        form = {"Action": "GetDsaHostLogs", "hosts": names, "startDate": day, "endDate": day}
        part = api.request("POST", "/v2/index.php", data=form).replace(role="listing")
        yield part
        for host, files in parsed(part, tencent.Listing).data.items():
            if host.lower() not in hosts:
                raise MalformedError(f"files of {repeated(host)} were listed, which was not requested")
            links |= _within(span, source, host.lower(), files)
    return links


def _within(span: Span, source: DsaSource, host: str, files: list[tencent.File]) -> Links:
    links: Links = {}
    for file in files:
        hour = file.hour.replace(tzinfo=source.zone).astimezone(dt.UTC)
        if span.start <= hour < span.end:
            known = links.setdefault((host, hour, file.area), file.link)
            if known.partition("?")[0] != file.link.partition("?")[0]:
                raise MalformedError(f"{host}: two different files for {instant(hour)} {repeated(file.area)}")
    return links


def auth(source: DsaSource, keys: tencent.Keys, clock: Clock) -> httpx.Auth:
    """Return the signature of the API's generation."""
    if source.api == "cdn":
        return tencent.Signature3(keys, clock, "cdn")
    return tencent.Signature2(keys, clock, source.signature_method)


provider = Provider(
    name="dsa",
    source=DsaSource,
    secret=tencent.Keys,
    secret_group="dsa",  # noqa: S106 (a name)
    auth=auth,
    fetch=fetch,
    fault=tencent.fault,
    layout=tencent_log_line.LAYOUT,
    columns=lambda source: tencent_log_line.columns(source.time_zone),
    feed_id=lambda source: source.api,
    download_hosts=lambda source: source.download_hosts,
    bounded=False,
    margin=dt.timedelta(0),
    resolution=HOUR,
    smallest_window=HOUR,
    smallest=lambda source: source.model_copy(update={"hosts": tencent_listing.asked(source)}),
    newest=tencent_listing.newest,
    checks={"logging": tencent_listing.logging},
)
handler = lambda_handler(provider)
