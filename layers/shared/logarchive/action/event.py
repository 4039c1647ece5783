"""Events: the input of a function. A wrong event changes nothing, and the result says what is wrong with it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from logarchive.errors import ConfigError
from logarchive.moment import instant
from logarchive.provider.source import utc, valid_name
from logarchive.provider.validation import reasons
from logarchive.window import Span

type SourceName = Annotated[str, AfterValidator(valid_name), Field(description="a source's name", examples=["shop-1"])]
type Moment = Annotated[
    AwareDatetime, AfterValidator(utc), Field(description="a time", examples=["2026-11-01T00:00:00Z"])
]


def _object(value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    # The message of pydantic would repeat the value.
    raise ValueError("must be a JSON object with the fields of the secret")


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


class _Range(_Event):
    source: SourceName
    start: Moment
    end: Moment
    inline: bool = False
    workers: int | None = Field(None, ge=1, le=20)
    dry_run: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"start: {instant(self.start)} is not before end, {instant(self.end)}")
        return self

    @property
    def span(self) -> Span:
        """The range."""
        return Span(self.start, self.end)


class Backfill(_Range):
    """Plan the gaps of a range, and make the windows that exist there due again."""

    action: Literal["backfill"]
    reopen: bool = False


class Replay(_Range):
    """Rebuild the windows of a range from `raw/`, without the provider.

    With `outdated` only those that an older mapping has built; with `dry_run` it only says what would change.
    """

    action: Literal["replay"]
    outdated: bool = False


class _Sources(_Event):
    source: SourceName | None = None
    start: SourceName | None = None

    @model_validator(mode="after")
    def _one_or_some(self) -> Self:
        if self.source is not None and self.start is not None:
            raise ValueError(f"start: {self.start!r} has no meaning beside source, {self.source!r}; leave out one")
        return self


class Status(_Sources):
    """Return where each source stands, those from the name `start` on, in alphabetical order."""

    action: Literal["status"]


class Gaps(_Sources):
    """Return the time of each source that is not archived, or not wholly, soonest loss first.

    With `days`, only of so many days, today included, and the state of each of their hours.
    """

    action: Literal["gaps"]
    days: int | None = Field(None, ge=1, le=100)


class Doctor(_Sources):
    """Check each source, from its secret to the times in one small response, and say what to do; nothing is written.

    With `document`, the JSON of a parameter that is not written yet, it checks that under the name `source`; with
    `credentials`, the JSON of a secret that is not written yet, it uses those in place of the secret.
    """

    action: Literal["doctor"]
    document: dict[str, Any] | None = None
    credentials: Annotated[dict[str, Any], BeforeValidator(_object)] | None = Field(None, repr=False)

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.credentials is not None and self.document is None:
            raise ValueError("document: missing beside credentials: the JSON of the source that they are for")
        if self.document is not None and self.source is None:
            raise ValueError("source: missing beside document: the name that it is to have; for instance shop-1")
        return self


class Describe(_Event):
    """Return which fields a source and its secret have; with `document`, what is wrong with it as that `source`."""

    action: Literal["describe"]
    source: SourceName | None = None
    document: dict[str, Any] | None = None


type Event = Tick | Work | Backfill | Replay | Status | Gaps | Doctor | Describe

#: The actions, each with the model of its event.
ACTIONS: Mapping[str, type[Tick | Work | Backfill | Replay | Status | Gaps | Doctor | Describe]] = {
    "tick": Tick,
    "work": Work,
    "backfill": Backfill,
    "replay": Replay,
    "status": Status,
    "gaps": Gaps,
    "doctor": Doctor,
    "describe": Describe,
}


def parse_event(event: object) -> Event:
    """Read an event. Raises ConfigError saying what is wrong with it."""
    if not isinstance(event, Mapping):
        raise ConfigError('the event is no JSON object; for instance {"action": "tick"}')
    action = cast("Mapping[str, object]", event).get("action", "")
    model = ACTIONS.get(str(action))
    if model is None:
        what = f'"{action}" is no action' if action else "missing"
        raise ConfigError(f"action: {what}; the actions are {', '.join(ACTIONS)}")
    try:
        return model.model_validate(event)
    except ValidationError as error:
        raise ConfigError(reasons(error, model, quoted=True)) from None
