"""The model of a source: the JSON of its SSM parameter. Providers add their own fields."""

import datetime as dt
import re
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, HttpUrl, model_validator

from logarchive.moment import DAY, HOUR
from logarchive.window import Window

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

LONGEST = 3653 * DAY


def _positive(length: dt.timedelta) -> dt.timedelta:
    if length <= dt.timedelta(0):
        raise ValueError("must be longer than zero")
    return length


def _whole_seconds(length: dt.timedelta) -> dt.timedelta:
    if length % dt.timedelta(seconds=1) or not dt.timedelta(0) <= length <= LONGEST:
        raise ValueError("must be whole seconds, not negative, and at most ten years")
    return length


type Length = Annotated[dt.timedelta, AfterValidator(_whole_seconds)]
type PositiveLength = Annotated[Length, AfterValidator(_positive)]


def utc(moment: dt.datetime) -> dt.datetime:
    """Return a moment in UTC; raise ValueError unless it is whole seconds of this century."""
    if moment.microsecond or not 2000 <= moment.year < 2100:  # noqa: PLR2004 (years)
        raise ValueError("must be whole seconds, of the years 2000 to 2099")
    return moment.astimezone(dt.UTC)


def _ascending(ages: tuple[dt.timedelta, ...]) -> tuple[dt.timedelta, ...]:
    if list(ages) != sorted(set(ages)):
        raise ValueError("must be ascending ages from the window's end")
    return ages


type Ages = Annotated[tuple[Length, ...], AfterValidator(_ascending)]


def _without_user(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        raise ValueError("must not hold a user name or password: credentials belong into the secret")
    return url


type Address = Annotated[HttpUrl, AfterValidator(_without_user)]


class Source(BaseModel):
    """One configured feed of a provider. Unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: str = Field(description="name of the Secrets Manager secret with the credentials")
    base_url: Address = Field(description="where the API lives; the vendor's public address by default")
    start: Annotated[AwareDatetime, AfterValidator(utc)] | None = Field(
        None, description="archive from here on; the window open at the first tick by default"
    )
    window: PositiveLength = Field(HOUR, description="length of a window")
    delay: Length = Field(dt.timedelta(minutes=5), description="how long after its end a window is first visited")
    revisit: Ages = Field(
        (HOUR, DAY), description="ages, from the window's end, at which it is visited again; the last one seals"
    )
    workers: int = Field(1, ge=1, le=20, description="how many workers may visit windows at once")
    pace: int | None = Field(None, ge=1, description="requests a minute, shared by the workers")
    retention: PositiveLength | None = Field(None, description="how long the provider keeps a record")
    quiet_after: PositiveLength | None = Field(
        None, description="how long without a record is too long: an alarm is raised"
    )
    enabled: bool = Field(default=True, description="false: nothing is planned or visited")

    @model_validator(mode="after")
    def _a_request_a_minute(self) -> Self:
        if self.pace is not None and self.pace < self.workers:
            raise ValueError("pace: at least one request a minute for each of the workers")
        return self

    @model_validator(mode="after")
    def _revisited_in_time(self) -> Self:
        if self.retention and self.revisit and self.window + self.revisit[-1] >= self.retention:
            raise ValueError(
                "retention: the provider would drop records before the last revisit (window + last age in revisit)"
            )
        return self

    def lost_at(self, window: Window) -> dt.datetime | None:
        """Return when the provider begins to drop a window's records, if that is known."""
        return window.start + self.retention if self.retention else None
