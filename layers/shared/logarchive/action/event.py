"""Events: the input of a function. A wrong event changes nothing, and the result says what is wrong with it."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from logarchive.errors import ConfigError, reasons
from logarchive.provider.source import NAME, utc
from logarchive.window import Span


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError("names are lower-case letters, digits and -, at most 63")
    return text


type SourceName = Annotated[str, AfterValidator(_name)]
type Moment = Annotated[AwareDatetime, AfterValidator(utc)]


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tick(_Event):
    """Plan every source, then start workers, or with `inline` do their work in this invocation."""

    action: Literal["tick"]
    inline: bool = False


class Work(_Event):
    """Run the worker loop for one source; `workers` replaces the source's own number (a backfill may set it).

    `by` is the `request_id` of the invocation that sent the event; log lines carry it as `correlation_id`.
    """

    action: Literal["work"]
    source: SourceName
    workers: int | None = Field(None, ge=1, le=20)
    by: str | None = None


class Backfill(_Event):
    """Plan the gaps of a range, and make the windows that exist there due again."""

    action: Literal["backfill"]
    source: SourceName
    start: Moment
    end: Moment
    inline: bool = False
    workers: int | None = Field(None, ge=1, le=20)
    reopen: bool = False
    dry_run: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> "Backfill":
        if self.start >= self.end:
            raise ValueError("start must be before end")
        return self

    @property
    def span(self) -> Span:
        """The range."""
        return Span(self.start, self.end)


class Status(_Event):
    """Return where each source stands."""

    action: Literal["status"]
    source: SourceName | None = None


type Event = Annotated[Tick | Work | Backfill | Status, Field(discriminator="action")]

_EVENT: TypeAdapter[Tick | Work | Backfill | Status] = TypeAdapter(Event)


def parse_event(event: Any) -> Tick | Work | Backfill | Status:  # noqa: ANN401 (whatever the caller sent)
    """Read an event. Raises ConfigError saying what is wrong with it."""
    try:
        return _EVENT.validate_python(event)
    except ValidationError as error:
        raise ConfigError(reasons(error)) from None
