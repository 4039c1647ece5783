"""The model of a source: the JSON of its SSM parameter. Providers add their own fields."""

import datetime as dt
import re
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, HttpUrl, model_validator

from logarchive.moment import DAY, HOUR, SECOND, duration, zone
from logarchive.provider.address import is_never_reached
from logarchive.window import Window

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
#: The host of a parsed URL: all ways to write an IPv4 address have become one.
_ADDRESS = re.compile(r"[0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*")
_MAX_LENGTH = 3653 * DAY


def valid_name(text: str) -> str:
    """Return a source's name; raise ValueError if it is none."""
    if not _NAME.fullmatch(text):
        raise ValueError("is no source name: lower-case letters, digits and -, at most 63; for instance shop-1")
    return text


def _positive(length: dt.timedelta) -> dt.timedelta:
    if length <= dt.timedelta(0):
        raise ValueError("is not longer than zero; for instance PT1H")
    return length


def _whole_seconds(length: dt.timedelta) -> dt.timedelta:
    if length % SECOND or not dt.timedelta(0) <= length <= _MAX_LENGTH:
        raise ValueError("is no duration of whole seconds, from 0 to ten years; for instance PT1H")
    return length


type Length = Annotated[dt.timedelta, AfterValidator(_whole_seconds)]
type PositiveLength = Annotated[Length, AfterValidator(_positive)]


def utc(moment: dt.datetime) -> dt.datetime:
    """Return a moment in UTC; raise ValueError if it is no whole second of this century."""
    if moment.microsecond or not 2000 <= moment.year < 2100:  # noqa: PLR2004 (years)
        raise ValueError("is no whole second of the years 2000 to 2099; for instance 2026-11-01T00:00:00Z")
    return moment.astimezone(dt.UTC)


def _ascending(ages: tuple[dt.timedelta, ...]) -> tuple[dt.timedelta, ...]:
    if list(ages) != sorted(set(ages)):
        raise ValueError("must be ages in ascending order, each once")
    return ages


type Ages = Annotated[tuple[Length, ...], AfterValidator(_ascending)]


def _offset(text: str) -> str:
    zone(text)
    return text


#: An offset from UTC, `+09:00`.
type Offset = Annotated[str, AfterValidator(_offset)]


def _scheme_host_and_path(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        raise ValueError("must not contain a user name or password: credentials belong in the secret")
    if url.query is not None or url.fragment is not None:
        raise ValueError("must not contain a query or a fragment; for instance https://logs.example.com/api")
    host = (url.host or "").strip("[]")
    if _ADDRESS.fullmatch(host) and is_never_reached(host):
        raise ValueError(
            "must not lead to a metadata service, nor to a link-local or multicast address; "
            "for instance https://logs.example.com"
        )
    return url


type Address = Annotated[HttpUrl, AfterValidator(_scheme_host_and_path)]


class Source(BaseModel):  # 11 attributes: the fields of its parameter
    """One project, account or address of a provider, as configured. Unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: str = Field(
        description="name of the Secrets Manager secret with the credentials", examples=["logarchive/ncloud/prod"]
    )
    base_url: Address = Field(description="where the API lives; the vendor's public address by default")
    start: Annotated[AwareDatetime, AfterValidator(utc)] | None = Field(
        None, description="archive from here on; by default all that the provider still has, if `retention` is known"
    )
    window: PositiveLength = Field(HOUR, description="length of a window")
    delay: Length = Field(dt.timedelta(minutes=5), description="how long after its end a window is first visited")
    revisit: Ages = Field(
        (HOUR, DAY), description="ages, from the window's end, at which it is visited again; the last one seals"
    )
    workers: int = Field(1, ge=1, le=20, description="how many workers may visit windows at once")
    pace: int | None = Field(None, ge=1, description="requests a minute, shared by the workers")
    retention: PositiveLength | None = Field(
        None, description="how long the provider keeps a record; `30 days` is the same as `P30D`"
    )
    quiet_after: PositiveLength | None = Field(
        None, description="how long without a record is too long: a warning is sent"
    )
    enabled: bool = Field(default=True, description="false: nothing is planned or visited")

    @model_validator(mode="after")
    def _a_request_a_minute(self) -> Self:
        if self.pace is not None and self.pace < self.workers:
            raise ValueError(
                f"pace: {self.pace} is less than one request a minute for each of the {self.workers} workers; "
                f"for instance {self.workers}"
            )
        return self

    @model_validator(mode="after")
    def _revisited_in_time(self) -> Self:
        needed = self.window + max(self.revisit, default=dt.timedelta(0))
        if self.retention and self.revisit and self.retention <= needed:
            raise ValueError(
                f"retention: {duration(self.retention)} must be longer than window + last age in revisit "
                f"({duration(needed)}): the provider would drop records before the last visit; "
                f"for instance {duration((needed // DAY + 1) * DAY)}"
            )
        return self

    def lost_at(self, window: Window) -> dt.datetime | None:
        """Return when the provider begins to drop a window's records, if that is known."""
        return window.start + self.retention if self.retention else None
