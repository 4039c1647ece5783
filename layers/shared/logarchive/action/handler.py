"""The Lambda handler: takes an event, carries out its action, returns the result."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from logarchive.action.archive import Archive, connect
from logarchive.action.event import Backfill, Describe, Doctor, Event, Gaps, Replay, Status, Tick, Work, parse_event
from logarchive.action.result import Result, refusal
from logarchive.action.tick import tick
from logarchive.errors import ConfigError
from logarchive.ledger.registry import registered
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.runtime.aws import Aws
from logarchive.runtime.metric import Tally
from logarchive.runtime.settings import Settings
from logarchive.runtime.telemetry import Handler, invocation_of, logger_of, publish, traced
from logarchive.warning.signal import write_signals


def lambda_handler[S: Source, K: BaseModel](provider: Provider[S, K]) -> Handler:
    """Return the handler of a provider's function. Nothing happens before it is called."""

    def invoked(event: Any, context: LambdaContext) -> Result:  # noqa: ANN401 (whatever the caller sent)
        settings, tally = _settings(), Tally()
        invocation = invocation_of(context, logger_of(provider.name), event, tally)
        archive = connect(provider, settings, _aws(), invocation, context.invoked_function_arn)
        try:
            return act(archive, event)
        finally:
            detailed, per_source = settings.detailed_metrics, settings.per_source_metrics
            publish(invocation, {"provider": provider.name}, tally, detailed=detailed, per_source=per_source)
            write_signals(archive.table, provider.name, tally, invocation.clock())

    def handler(event: Any, context: LambdaContext) -> Result:  # noqa: ANN401 (whatever the caller sent)
        return (traced(provider.name, invoked) if _settings().tracing else invoked)(event, context)

    return handler


def act[S: Source, K: BaseModel](archive: Archive[S, K], event: Any) -> Result:  # noqa: ANN401 (whatever the caller sent)
    """Carry out an event. What is wrong with it, or with the source it names, is said in the result."""
    try:
        parsed = parse_event(event)
    except ConfigError as error:
        return _refuse(archive, str(error), None)
    try:
        return _act(archive, parsed)
    except ConfigError as error:
        return _refuse(archive, str(error), None if isinstance(parsed, Tick) else parsed.source)


def _act[S: Source, K: BaseModel](archive: Archive[S, K], event: Event) -> Result:  # noqa: PLR0911 (one for each action)
    """Call the function of the event's action. Of the others only the tick, the most frequent, is always imported."""
    match event:
        case Tick():
            return tick(archive, event)
        case Work():
            from logarchive.action.work import work

            return work(archive, event)
        case Backfill():
            from logarchive.action.backfill import backfill

            return backfill(archive, event)
        case Replay():
            from logarchive.action.replay import replay

            return replay(archive, event)
        case Status():
            from logarchive.action.status import status

            return status(archive, event)
        case Gaps():
            from logarchive.action.status import gaps

            return gaps(archive, event)
        case Doctor():
            from logarchive.action.doctor import doctor

            return doctor(archive, event)
        case Describe():
            from logarchive.action.doctor import describe

            return describe(archive, event)


def _refuse[S: Source, K: BaseModel](archive: Archive[S, K], error: str, source_name: str | None) -> Result:
    archive.invocation.log("event.refused", source=source_name, error=error)
    if source_name and _is_known(archive, source_name):
        archive.invocation.count("SourceErrors", 1, source_name)
    else:
        archive.invocation.count("EventErrors", 1)
    return refusal(archive.provider.name, error, source_name)


def _is_known[S: Source, K: BaseModel](archive: Archive[S, K], source_name: str) -> bool:
    """Return whether a name that an event brings is that of a source: a slip of the pen is nobody's condition."""
    return source_name in registered(archive.table, archive.provider.name) or archive.source_loader.has(source_name)


@cache
def _settings() -> Settings:
    return Settings.from_environment()


@cache
def _aws() -> Aws:
    return Aws.connect(_settings())
