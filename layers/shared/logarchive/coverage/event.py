"""The events that ask for the coverage page and for a month's report."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from logarchive.coverage.report import Language
from logarchive.errors import ConfigError
from logarchive.moment import DAY, zone
from logarchive.provider.source import Offset, utc
from logarchive.window import Span

#: The time zone of a month, unless the event says another.
ZONES: Mapping[Language, str] = {"en": "+00:00", "ko": "+09:00"}


class WriteCoverage(BaseModel):
    """Write the coverage page and the table `windows` now; from `start` on, if that is more than 400 days ago."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["coverage"]
    start: Annotated[AwareDatetime, AfterValidator(utc)] | None = None


def _valid_month(text: str) -> str:
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", text):
        raise ValueError("is no month; for instance 2026-11")
    return text


class WriteReport(BaseModel):
    """Write the report of a month for an auditor, in English (`en`) or Korean (`ko`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["report"]
    month: Annotated[str, AfterValidator(_valid_month)] = Field(examples=["2026-11"])
    language: Language = "en"
    #: Where the month begins and ends, as an offset from UTC; without it Korean time for a Korean report, and UTC.
    time_zone: Offset | None = None

    @property
    def zone(self) -> dt.timezone:
        """The time zone of the month, and of the times in the report."""
        return zone(self.time_zone or ZONES[self.language])

    @property
    def key(self) -> str:
        """The key of the report: it names the time zone unless that is the language's own."""
        offset = "" if self.zone == zone(ZONES[self.language]) else f".UTC{self._first:%z}"
        return f"coverage/report-{self.month}.{self.language}{offset}.html"

    @property
    def span(self) -> Span:
        """The month."""
        following = (self._first + 31 * DAY).replace(day=1)
        return Span(self._first.astimezone(dt.UTC), following.astimezone(dt.UTC))

    @property
    def _first(self) -> dt.datetime:
        return dt.datetime.fromisoformat(f"{self.month}-01").replace(tzinfo=self.zone)

    def ensure_begun(self, now: dt.datetime) -> None:
        """Raise ConfigError for a month of the future."""
        if self.span.start > now:
            raise ConfigError(f"month: {self.month} has not begun; choose this month or an earlier one")
